"""However `xiezhi serve` ends, so does all that it started, also what its children started and what does not listen."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[3]
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.fork()
os.write(1, f"{os.getpid()}\\n".encode())
time.sleep(120)
"""
PARENT = f"""
import os, sys
from xiezhi.foundation.jobs.management.commands import serve
serve.STOP_WITHIN_SECONDS = 1
serve.Supervisor({{"stubborn": [sys.executable, "-c", {STUBBORN!r}]}}, dict(os.environ)).run()
"""


def end_the_parent(how: int) -> int:
    """Start a parent with a stubborn child and grandchild, end it with the signal `how`, and see that both go; its exit status."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert parent.stdout
    started = [psutil.Process(int(parent.stdout.readline())) for _ in range(2)]
    os.killpg(parent.pid, how)  # as a terminal does, or an operator who has lost patience
    status = parent.wait(timeout=30)
    parent.stdout.close()
    for each in started:
        try:
            each.wait(timeout=10)
        except psutil.TimeoutExpired:
            assert each.status() == psutil.STATUS_ZOMBIE
    return status


def test_ctrl_c_leaves_no_process() -> None:
    assert end_the_parent(signal.SIGINT) == 0


def test_kill_9_of_the_parent_leaves_no_process() -> None:
    assert end_the_parent(signal.SIGKILL) == -signal.SIGKILL
