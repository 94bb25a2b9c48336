"""A district's complaint desk on PostgreSQL: make its cases, and put its pages under load.

    python -m benchmarks.complaints make --keep DIR [--cases 500000] [--seed 7]
    python -m benchmarks.complaints up --keep DIR
    python -m benchmarks.complaints load --keep DIR [--seconds 60] [--peer]
    python -m benchmarks.complaints boards --keep DIR

`make` fills DIR once (three years up to the next full hour); `up` starts what is kept there, with its tables brought up to this source, and says
under which address it answers; `load` and `boards` measure
(see `load.py` and `boards.py`).
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "up", "load", "boards"))
    parser.add_argument("--keep", type=Path, required=True, metavar="DIR")
    parser.add_argument("--cases", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--peer", action="store_true", help="Django's administration on the same table in the same run")
    given = parser.parse_args()
    folder = given.keep.resolve()
    if given.what == "make":
        from benchmarks.complaints.site import make

        make(folder, cases=given.cases, seed=given.seed)
    elif given.what == "up":
        from benchmarks.complaints.site import up

        up(folder)
    elif given.what == "boards":
        from benchmarks.complaints.boards import measure as boards

        boards(folder)
    else:
        from benchmarks.complaints.load import measure

        measure(folder, seconds=given.seconds, peer=given.peer)


if __name__ == "__main__":
    main()
