"""On Ray the plan is the same byte for byte: on workers started here, and on a running cluster that loses a worker.

What keeps us from a cluster is said plainly. The cluster is started once, as processes of its own.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks.planning.instances import Size, make, write
from tests.engines.planning.test_planning_command import contents
from xiezhi.engines.planning import cluster, solve
from xiezhi.engines.planning.cli import main
from xiezhi.engines.planning.files import read_input

LOOPBACK = "127.0.0.2"  # Ray takes 127.0.0.1 for the address under which others reach this machine
PLAN = "from xiezhi.engines.planning import cli; import sys; sys.exit(cli.main(sys.argv[1:]))"


@dataclass(frozen=True)
class Head:
    address: str
    token: Path
    process: psutil.Process

    def join(self, arguments: list[str], home: Path, **token: str) -> subprocess.CompletedProcess[str]:
        """Run the command in a process of its own, which knows no token but the one given."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        environment |= {"HOME": str(home)} | token
        command = [sys.executable, "-c", PLAN, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance and its plan without Ray."""
    at = tmp_path_factory.mktemp("ray")
    write(make(Size(160, 2, 4, 0.9), seed=5, departments=5), at / "in")
    assert main([str(at / "in"), "--out", str(at / "here")]) == 0
    return at


@pytest.fixture(scope="module")
def head(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """A cluster of one worker with a token, on this machine."""
    token = folder / "token"
    token.write_text(secrets.token_hex(32), "utf-8")
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        port = taken.getsockname()[1]
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}"]
    command += [f"--node-ip-address={LOOPBACK}", "--include-dashboard=false", "--disable-usage-stats", "--num-cpus=1"]
    command += [f"--temp-dir={tmp_path_factory.mktemp('r')}", "--object-store-memory=80000000"]
    command += ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
    environment = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    log = folder / "head.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 90
        while "Ray runtime started" not in log.read_text("utf-8"):
            assert process.poll() is None and time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.05)
        yield Head(f"{LOOPBACK}:{port}", token, psutil.Process(process.pid))
    finally:
        started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for one in [*started, process]:
            one.kill()
        process.wait()
        psutil.wait_procs(started, timeout=10)


def lose_a_worker(head: Head, lost: list[int], stop: threading.Event) -> None:
    """Kill the first of the cluster's processes found planning a district."""
    while not stop.wait(0.02):
        for process in head.process.children(recursive=True):
            try:
                if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::plan_district"):
                    process.kill()
                    lost.append(process.pid)
                    return
            except psutil.Error:
                continue


def test_joined_by_address_a_lost_worker_costs_only_time(head: Head, folder: Path, tmp_path: Path) -> None:
    lost: list[int] = []
    stop = threading.Event()
    hunter = threading.Thread(target=lose_a_worker, args=(head, lost, stop))
    hunter.start()
    arguments = [str(folder / "in"), "--out", str(tmp_path / "there"), "--engine", "ray", "--address", head.address]
    try:
        done = head.join([*arguments, "--token-file", str(head.token)], tmp_path)
    finally:
        stop.set()
        hunter.join()
    assert done.returncode == 0, done.stderr
    assert head.token.read_text("utf-8") not in done.stdout + done.stderr
    assert lost, "no worker was lost: the test proves nothing"
    assert contents(folder / "here") == contents(tmp_path / "there")


def test_a_wrong_token_is_said(head: Head, folder: Path, tmp_path: Path) -> None:
    arguments = [str(folder / "in"), "--out", str(tmp_path / "out"), "--engine", "ray", "--address", head.address]
    done = head.join(arguments, tmp_path, RAY_AUTH_TOKEN="another")
    assert done.returncode == 2 and "--token-file" in done.stderr and "nothing was written" in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


class OneTask:
    """As much of Ray as one task needs, run here as a worker would."""

    @staticmethod
    def remote(**_: object) -> Callable[..., SimpleNamespace]:
        return lambda task: SimpleNamespace(remote=lambda *given: partial(task, *given))

    @staticmethod
    def wait(tasks: list[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        return tasks[:num_returns], tasks[num_returns:]

    @staticmethod
    def get(task: Callable[[], object]) -> object:
        return task()

    @staticmethod
    def cancel(task: object, *, force: bool) -> None:
        raise AssertionError("nothing is left to cancel")


def test_a_worker_with_another_planner_is_told_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter(["planner here", "planner there"])
    monkeypatch.setattr(cluster, "fingerprint", lambda: next(asked))
    problem = read_input(folder / "in").problem
    problem = replace(
        problem, districts=problem.districts[:1], subject_district=np.zeros_like(problem.subject_district)
    )
    with pytest.raises(cluster.NoCluster, match=r"planner there; here planner here.*same Xiezhi, Python and packages"):
        solve(problem, cluster=cluster.Cluster(OneTask))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--address", f"{LOOPBACK}:1"], "nothing answers"),
        (["--address", "head-node"], "HOST:PORT"),
        (["--address", "{here}", "--token-file", "no-such-file"], "can't be read"),
    ],
)
def test_what_cannot_work_is_told_at_once(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with socket.create_server((LOOPBACK, 0)) as anyone:
        here = f"{LOOPBACK}:{anyone.getsockname()[1]}"
        arguments = [a.format(here=here) for a in arguments]
        assert main([str(folder / "in"), "--out", str(tmp_path / "out"), "--engine", "ray", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_workers_started_here_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert main([str(folder / "in"), "--out", str(tmp_path / "out"), "--engine", "ray", "--workers", "1"]) == 0
    assert contents(folder / "here") == contents(tmp_path / "out")


def test_without_ray_the_answer_is_plain(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([str(folder / "in"), "--out", str(tmp_path / "out"), "--engine", "ray"]) == 2
    said = capsys.readouterr().err
    assert "not installed" in said and "xiezhi[ray]" in said
    assert not (tmp_path / "out").exists()
