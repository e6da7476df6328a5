"""constraints.txt from uv.lock: the versions that are tested, for installations with plain pip.

`uv export` names the same versions; it is not used, so that `make docs` and a rebase need no uv.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_HEAD = "# Versions that Echelon is tested with, from uv.lock by make docs: pip install -c this.\n"


def constraints(lock: Path) -> str:
    """One line for each version of each package that the product or an extra of it needs."""
    packages: dict[str, list[dict[str, Any]]] = {}
    for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        packages.setdefault(package["name"], []).append(package)
    lines = set()
    for name in _needed(packages):
        versions = packages[name]
        for package in versions:
            line = f"{name}=={package['version']}"
            markers = package.get("resolution-markers", []) if len(versions) > 1 else []
            joined = " or ".join(f"({marker})" for marker in markers)
            lines.add(f"{line} ; {joined}" if joined else line)
    return _HEAD + "".join(f"{line}\n" for line in sorted(lines))


def _needed(packages: dict[str, list[dict[str, Any]]]) -> set[str]:
    """Names of all packages that echelon's dependencies and extras reach."""
    waiting = [("echelon", extra) for package in packages["echelon"]
               for extra in ("", *package["optional-dependencies"])]  # fmt: skip
    found: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for package in packages[name]:
            edges = package.get("optional-dependencies", {}).get(extra, []) if extra else (
                package.get("dependencies", []))  # fmt: skip
            for edge in edges:
                waiting += [(edge["name"], wanted) for wanted in ("", *edge.get("extra", []))]
    return {name for name, _ in found} - {"echelon"}
