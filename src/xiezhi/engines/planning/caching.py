"""Compiles kernels and keeps Numba's cache honest.

Compiled code inlines functions of other files, yet each cached file looks at its own date only; so whatever is older
than any source of this package is dropped before anything is loaded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile for any thread, once per machine."""
    return cast(Kernel, njit(cache=True, nogil=True)(function))


def drop_stale() -> None:
    """Remove this package's compiled functions that are older than any of its sources."""
    here = Path(__file__).parent
    newest = max(source.stat().st_mtime for source in here.glob("*.py"))
    for cached in (here / "__pycache__").glob("*.nb[ic]"):
        with contextlib.suppress(OSError):  # another process was faster, or the folder is read-only
            if cached.stat().st_mtime < newest:
                cached.unlink()


drop_stale()
