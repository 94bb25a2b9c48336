import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Trouble(Exception):
    """What stands in the way of keeping, said for the person at the terminal: where, what, how to mend it."""


@contextmanager
def room_on(folder: Path) -> Iterator[None]:
    """Turn a full disk under `folder` into Trouble that says so."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise Trouble(
            f"There is no room left in {folder}: {error.strerror}. Nothing was left behind. "
            "Make room there, or name a folder on another disk, and repeat."
        ) from error
