"""Compiles kernels and keeps Numba's cache honest.

Compiled code inlines functions of other files, yet each cached file looks at its own date only; so whatever is older
than any source of this package is dropped before anything is loaded.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

FAMILIES = (  # compiled files that call one another: the solver's and the verifier's
    ("kernels", "hosts", "choosing", "relief", "ruins", "bounds", "facts"),
    ("examine", "examine_columns", "examine_costs"),
)
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile for any thread, once per machine."""
    return cast(Kernel, njit(cache=True, nogil=True, error_model="numpy")(function))


def merged(function: Kernel) -> Kernel:
    """Compile into compiled callers as machine code: less to compile than `inlined`, and the big tuples stay where they are."""
    return cast(Kernel, njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))


def inlined(function: Kernel) -> Kernel:
    """Compile into its callers: handing the big tuples on costs more than a small kernel does."""
    return cast(Kernel, njit(inline="always")(function))


def start_quickly() -> None:
    """Let Numba start without the packages it looks for and our kernels don't need: for a process that only plans.

    SciPy (for linear algebra) and cffi take longer to import than all kernels to load. Where another part of the
    process has them already nothing changes; whoever imports them later finds them.
    """
    hidden = [name for name in ("scipy.linalg", "cffi") if name not in sys.modules]  # Numba has begun on SciPy itself
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        importlib.import_module("numba.np.arraymath")
        importlib.import_module("numba.core.typing.cffi_utils")
    finally:
        for name in hidden:
            del sys.modules[name]


def drop_stale() -> None:
    """Remove compiled functions that are older than any of the sources they may have taken in."""
    here = Path(__file__).parent
    for family in FAMILIES:
        newest = max((here / f"{name}.py").stat().st_mtime for name in family)
        for name in family:
            for cached in (here / "__pycache__").glob(f"{name}.*.nb[ic]"):
                with contextlib.suppress(OSError):  # another process was faster, or the folder is read-only
                    if cached.stat().st_mtime < newest:
                        cached.unlink()


drop_stale()
