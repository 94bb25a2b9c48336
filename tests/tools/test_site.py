"""A site as a test starts it is a real one: its own data, its own port, and nothing left running afterwards."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

import psutil

from tests.support.postgres import Server
from tests.support.site import Site


def use_and_stop(site: Site) -> None:
    site.start()
    assert site.process
    family = [psutil.Process(site.process.pid), *psutil.Process(site.process.pid).children(recursive=True)]
    assert len(family) >= 4, "the parent, a web server, a worker and a ticker"
    with urllib.request.urlopen(site.url) as answer:
        assert answer.status == 200
    site.stop()
    gone, left = psutil.wait_procs(family, timeout=10)
    assert not left and len(gone) == len(family)
    assert "Traceback" not in site.tail(), site.tail()


def test_a_site_runs_on_sqlite_in_its_own_folder(make_site: Callable[..., Site]) -> None:
    site = make_site("own")
    use_and_stop(site)
    assert (site.folder / "data" / "xiezhi.sqlite3").exists()


def test_a_site_runs_on_postgresql(make_site: Callable[..., Site], postgres_server: Server) -> None:
    with postgres_server.database() as address:
        site = make_site("on-postgres", address)
        use_and_stop(site)
        assert not (site.folder / "data" / "xiezhi.sqlite3").exists()
