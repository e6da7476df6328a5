"""Kernels kept on disk: a change in a file that they call makes them compiled again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipeline.core import echelon, placement, service
from pipeline.kernels import PACKAGE, sources

ASK = "from pipeline.calls import answer; print(answer(2.0))"


def test_a_kernel_is_compiled_again_when_what_it_calls_changes(tmp_path: Path) -> None:
    home = tmp_path / "pipeline"
    home.mkdir()
    for name in ("__init__.py", "kernels.py"):
        (home / name).write_text((PACKAGE / name).read_text())
    head = "from pipeline.kernels import njit\n\n\n"
    (home / "calls.py").write_text(
        "from pipeline.called import twice\n"
        + head
        + "@njit(cache=True)\ndef answer(x):\n    return twice(x)\n"
    )
    (home / "called.py").write_text(
        "from pipeline import numbers\n"
        + head
        + "@njit(cache=True)\ndef twice(x):\n    return numbers.TIMES * x\n"
    )
    # Python's own cache of a file knows its second and size alone: without it here.
    env = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    for times in (2.0, 3.0, 2.0):
        (home / "numbers.py").write_text(f"TIMES = {times}\n")
        ran = subprocess.run([sys.executable, "-c", ASK], cwd=tmp_path, capture_output=True,
                             text=True, check=True, env=env)  # fmt: skip
        assert float(ran.stdout) == 2.0 * times
    assert list(home.rglob("*.nbc"))


def test_files_that_are_compiled_into_a_kernel() -> None:
    files = sources(Path(service.__file__))
    assert {Path(echelon.__file__), Path(service.__file__), PACKAGE / "core/demand.py"} <= files
    assert Path(placement.__file__) not in sources(Path(echelon.__file__))


def test_all_kernels_are_kept_so() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "kernels.py"]
    assert not [file for file in files if "import numba" in (text := file.read_text())
                or "from numba" in text]  # fmt: skip
