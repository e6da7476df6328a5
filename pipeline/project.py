"""Where a project's files lie (settings, DAG files, raw tables), and what the package ships.

A checkout is its own project. An installed package carries the same folders under pipeline/shipped,
put there when the wheel is built (hatch_build.py); `echelon init` lays them out in a folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import UsageError

ROOT_VARIABLE = "ECHELON_PROJECT"
"""Environment variable that names the project's folder, where it is not the current one."""
_PACKAGE = Path(__file__).resolve().parent
_STARTER = _PACKAGE / "starter"
_SHIPPED = _PACKAGE / "shipped"
_LAID_OUT = ("configs", "dags", "data/sample", "docker-compose.yml", "constraints.txt")
"""Files and folders of a checkout that a new project starts with, as hatch_build.py ships them."""


def project_root() -> Path:
    """The project's folder: as the environment says, else this checkout, else the current one."""
    if given := os.environ.get(ROOT_VARIABLE):
        return Path(given).resolve()
    return Path.cwd() if _SHIPPED.is_dir() else _PACKAGE.parent


def project_file(name: str) -> Path:
    """A file or folder by its path in the project (`data/sample`): the project's own, if it has
    one, else what is shipped."""
    own = project_root() / name
    return own if own.exists() else _shipped() / name


def given_or_shipped(path: Path) -> Path:
    """What a person named, if it exists, else the project's or the shipped file of that path."""
    return path if path.exists() else project_file(path.as_posix())


def lay_out(folder: Path, generated: Mapping[str, str]) -> list[str]:
    """Make `folder` a project; returns the paths written, relative to it, in order.

    generated: content of the documents and settings that are made from definitions, by path.
    Raises UsageError, before anything is written, where one of them is there already.
    """
    content = _contents() | {name: text.encode() for name, text in generated.items()}
    if there := sorted(name for name in content if (folder / name).exists()):
        shown = ", ".join(there[:5]) + (f" and {len(there) - 5} more" if there[5:] else "")
        raise UsageError(
            f"{folder} holds {shown} already, and nothing is written over. "
            "Next: name a new folder, or move them away."
        )
    try:
        for name, data in content.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        (folder / "raw").mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot lay out a project in {folder} ({error.strerror}). "
            "Next: name a folder that you may write to."
        ) from error
    return sorted(content)


def _contents() -> dict[str, bytes]:
    content: dict[str, bytes] = {}
    for name in _LAID_OUT:
        content |= _files(_shipped() / name, name)
    # Leading dots are added here, so that no tool takes the templates for its own settings.
    starter = _files(_STARTER, "")
    return content | {("." + name[4:] if name.startswith("dot-") else name): data
                      for name, data in starter.items()}  # fmt: skip


def _files(path: Path, name: str) -> dict[str, bytes]:
    if path.is_file():
        return {name: path.read_bytes()}
    return {
        (Path(name) / file.relative_to(path)).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def _shipped() -> Path:
    return _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent
