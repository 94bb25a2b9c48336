"""A site as a test starts it is a real one: its own data, its own port, and nothing left running afterwards."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

import psutil

from tests.support.postgres import Server
from tests.support.site import Site


def test_a_site_runs_on_postgresql(make_site: Callable[..., Site], postgres_server: Server) -> None:
    """On SQLite the journeys do."""
    with postgres_server.database() as address:
        site = make_site("on-postgres", address)
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
        assert not (site.folder / "data" / "xiezhi.sqlite3").exists()
