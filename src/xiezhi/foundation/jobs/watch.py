"""Ends what `xiezhi serve` started when `serve` itself is gone without having done so (kill -9, out of memory).

Run as a script of its own, beside the children and outside their process groups, with standard library only. It reads lines
`NAME PID` (the newest for each name holds) until the pipe closes, which the kernel does however the parent dies. `.` means that the
parent has ended its children itself. Each PID leads a process group, so what a child started goes with it.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable


def watch(lines: Iterable[str], *, grace_seconds: float) -> None:
    """Until `lines` end, remember the groups; then ask them to stop, and kill what is left after `grace_seconds`."""
    groups: dict[str, int] = {}
    for line in lines:
        if line.strip() == ".":
            return
        name, number = line.split()
        groups[name] = int(number)
    left = [group for group in groups.values() if _tell(group, signal.SIGTERM)]
    give_up = time.monotonic() + grace_seconds
    while left and time.monotonic() < give_up:
        time.sleep(0.1)
        left = [group for group in left if _tell(group, 0)]
    for group in left:
        _tell(group, signal.SIGKILL)


def _tell(group: int, number: int) -> bool:
    """Whether the group was there to be told."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # it ends when the parent does, not before
    watch(sys.stdin, grace_seconds=float(sys.argv[1]))
