"""On Ray the plan is the same byte for byte, also when a worker is lost on the way; without Ray a plain answer."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import psutil
import pytest

from benchmarks.planning.instances import Size, make, write
from tests.engines.planning.test_planning_command import contents
from xiezhi.engines.planning.cli import main


def lose_a_worker(lost: list[int], stop: threading.Event) -> None:
    """Kill the first process found planning a district."""
    while not stop.wait(0.02):
        for process in psutil.Process().children(recursive=True):
            try:
                if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::plan_district"):
                    process.kill()
                    lost.append(process.pid)
                    return
            except psutil.Error:
                continue


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_lost_worker_costs_only_time(tmp_path: Path) -> None:
    write(make(Size(160, 2, 4, 0.9), seed=5, departments=5), tmp_path / "in")
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "here")]) == 0
    lost: list[int] = []
    stop = threading.Event()
    hunter = threading.Thread(target=lose_a_worker, args=(lost, stop))
    hunter.start()
    try:
        code = main([str(tmp_path / "in"), "--out", str(tmp_path / "there"), "--engine", "ray", "--workers", "1"])
    finally:
        stop.set()
        hunter.join()
    assert code == 0
    assert lost, "no worker was lost: the test proves nothing"
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_without_ray_or_cluster_the_answer_is_plain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(make(Size(20, 1, 1), seed=5, departments=3), tmp_path / "in")
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--engine", "ray"]) == 2
    said = capsys.readouterr().err
    assert "not installed" in said and "xiezhi[ray]" in said
    assert not (tmp_path / "out").exists()
