"""Compiled kernels: `njit`, and when one that is kept on disk is too old.

Numba keeps a kernel as long as its own file stays; but what it calls in other files, and their
constants, are compiled into it. After an update of one of those a kept kernel would go on with the
old one, silently. With `njit` from here a kernel stays as long as its file and all that this file
imports of the package stay (numba.config.CACHE_LOCATOR_CLASSES).
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from numba import config, njit, prange
from numba.core import caching

__all__ = ["njit", "prange", "sources", "stamp"]

PACKAGE = Path(__file__).parent


@cache
def sources(file: Path) -> frozenset[Path]:
    """The file, and all files of its package that it imports, and that those import."""
    found, open_files = {file}, [file]
    while open_files:
        for new in _imported(open_files.pop()) - found:
            found.add(new)
            open_files.append(new)
    return frozenset(found)


@cache
def _imported(file: Path) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    mine = [PACKAGE.parent.joinpath(*name.split(".")) for name in names
            if name.split(".")[0] == PACKAGE.name]  # fmt: skip
    places = [path for home in mine for path in (home.with_suffix(".py"), home / "__init__.py")]
    return {path for path in places if path.is_file()}


@cache
def stamp(file: Path) -> bytes:
    """Hash of a kernel's file and of all that may be compiled into it."""
    files = sources(file) if file.is_relative_to(PACKAGE) else [file]
    whole = b"".join(hashlib.sha256(path.read_bytes()).digest() for path in sorted(files))
    return hashlib.sha256(whole).digest()


class _OfAllItCalls:
    _py_file: str

    def get_source_stamp(self) -> bytes:
        return stamp(Path(self._py_file))


class Given(_OfAllItCalls, caching.UserProvidedCacheLocator):
    """In NUMBA_CACHE_DIR, where that is set."""


class Beside(_OfAllItCalls, caching.InTreeCacheLocator):
    """Beside the source, where that can be written."""


class OfUser(_OfAllItCalls, caching.UserWideCacheLocator):
    """In the user's cache folder."""


config.CACHE_LOCATOR_CLASSES = ",".join(  # type: ignore[attr-defined]  # made at run time
    f"{__name__}.{one.__name__}" for one in (Given, Beside, OfUser)
)
