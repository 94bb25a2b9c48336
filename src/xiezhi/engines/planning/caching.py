"""Compiles kernels and keeps Numba's cache honest.

Compiled code inlines functions of other files, yet each cached file looks at its own date only; so whatever is older
than any source of this package is dropped before anything is loaded.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit, types
from numba.core.compiler_lock import global_compiler_lock

FAMILIES = (  # compiled files that call one another: the solver's and the verifier's
    ("kernels", "hosts", "choosing", "relief", "ruins", "bounds", "facts"),
    ("examine", "examine_columns", "examine_costs"),
)
HOW: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile for any thread, once per machine."""
    return cast(Kernel, _sparing(njit(cache=True, **HOW)(function)))


def merged(function: Kernel) -> Kernel:
    """Compile into compiled callers as machine code: less to compile than `inlined`, and the big tuples stay where they are."""
    return cast(Kernel, _sparing(njit(cache=True, forceinline=True, **HOW)(function)))


def inlined(function: Kernel) -> Kernel:
    """Compile into its callers: handing the big tuples on costs more than a small kernel does."""
    return cast(Kernel, njit(inline="always")(function))


def _sparing(kernel: Any) -> Any:
    """Compile a kernel once for all compiled callers, and in one process at a time: the others wait and load it.

    Left alone Numba compiles anew for a 32-bit number, for each constant and for every variable that a loop starts
    from a constant (`n = 0`; compiled and never called), and processes that start together all compile the same.
    """
    find, compile_one = kernel.get_call_template, kernel.compile

    def find_wide(args: Any, kws: Any) -> Any:
        return find(tuple(_wide(a) for a in args), {name: _wide(a) for name, a in kws.items()})

    def compile_alone(signature: Any) -> Any:
        with global_compiler_lock, _turn.taken(Path(kernel.stats.cache_path)):
            return compile_one(signature)

    kernel.get_call_template, kernel.compile = find_wide, compile_alone
    return kernel


def _wide(argument: Any) -> Any:
    """The type that stands for a whole number's, whatever its width or value; any other type as it is."""
    plain = cast(Any, types).unliteral(argument)
    return types.int64 if isinstance(plain, types.Integer) and cast(Any, plain).bitwidth < 64 else plain


class _Turn:
    """This process's turn to compile into a cache folder. Held by one thread (Numba has a lock for that), any depth."""

    def __init__(self) -> None:
        self.depth = 0

    @contextlib.contextmanager
    def taken(self, folder: Path) -> Iterator[None]:
        """Wait for the turn; without a folder to lock in nobody could load what another compiles, so nobody waits."""
        with contextlib.ExitStack() as stack:
            if not self.depth:
                with contextlib.suppress(OSError):
                    folder.mkdir(parents=True, exist_ok=True)
                    fcntl.flock(stack.enter_context((folder / "compiling.lock").open("w")), fcntl.LOCK_EX)
            self.depth += 1
            try:
                yield
            finally:
                self.depth -= 1


_turn = _Turn()


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
