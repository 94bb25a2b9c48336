"""The wheel holds what the checkout holds, with assets and catalogues built, and runs from an empty folder with nothing but Python."""

import json
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

import wheel
from tests.support.postgres import free_port
from tests.support.processes import ROOT

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(tmp_path_factory.mktemp("wheel"))


def test_nothing_is_missing_and_nothing_strange_goes_in(built: Path) -> None:
    listing = ["git", "ls-files", "-co", "--exclude-standard", "src"]
    kept = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    wanted = {path.removeprefix("src/") for path in kept if (ROOT / path).exists() and not path.endswith(".po")}
    with zipfile.ZipFile(built) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert wanted - found == set()
    made = found - wanted
    assert {"xiezhi/foundation/ui/static/ui/dist/xiezhi.css", "xiezhi/locale/en/LC_MESSAGES/django.mo"} <= made
    assert all("/static/ui/dist/" in name or name.endswith(".mo") for name in made), made


def test_it_serves_from_an_empty_folder(built: Path, tmp_path: Path) -> None:
    """Installed where only the packages of this environment are, not the checkout; there is no Node on the path."""
    python = tmp_path / "app" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "app"], check=True)
    site = next((tmp_path / "app" / "lib").glob("python3.*/site-packages"))
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-compile",
        built,
    ]
    subprocess.run(install, check=True)
    data, port = tmp_path / "empty", free_port()
    data.mkdir()
    environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [python.parent / "xiezhi", "serve", "--port", str(port), "--workers", "1"],
            cwd=data, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        base = f"http://127.0.0.1:{port}"
        assert wait_for(f"{base}/healthz", process) == "ok\n", (tmp_path / "log").read_text()
        page = wait_for(f"{base}/accounts/login/", process)
        css = page.split('rel="stylesheet" href="')[1].split('"')[0]
        assert "csrfmiddlewaretoken" in page and len(wait_for(base + css, process)) > 10_000
        assert json.loads(wait_for(f"{base}/readyz", process)) == {"ready": True, "missing": []}
        assert 'route="account_login",status="2xx"' in wait_for(f"{base}/metrics", process)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert (data / "var" / "xiezhi.sqlite3").exists(), "in the folder where it was started"


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> str:
    """What the address answers with 200, once it does."""
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with DIRECT.open(address, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    return f"{address} did not answer; ended with {process.poll()}"
