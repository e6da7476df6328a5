"""Plans a small night and runs the core's tests under every supported Python that the machine has.

    make pythons            (or: python -m benchmarks.pythons [--python PATH …] [--json FILE])

Each gets an environment of its own in .pythons/, made from the wheel in dist/ and constraints.txt;
its night has a small model, since the versions differ in what they can load, not in what they add.
A version that cannot be found is named; exit code 1 if anything fails, not if one is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SUPPORTED = ("3.11", "3.12", "3.13")
TESTS = ("tests/core/test_arithmetic.py", "tests/core/test_copula.py", "tests/test_version.py")
TEST_TOOLS = ("pytest", "hypothesis", "pyyaml")
SMALL = """
forecast:
  mean: {trees: 10, leaves: 6, leaf_rows: 40}
  shape: {trees: 5, leaves: 4, leaf_rows: 100}
  calibration_days: 28
optimize: {scenarios: 32, rank_banks: 2, exact_items: 0, audit_items: 0}
"""


def find(version: str) -> Path | None:
    """An interpreter of that version: on the path, of pyenv, or of uv."""
    folders = [Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python"]
    managed = [path for folder in folders
               for path in sorted(folder.glob(f"*{version}.*/bin/python{version}"))]  # fmt: skip
    on_path = shutil.which(f"python{version}")
    for path in [*managed, *([Path(on_path)] if on_path else [])]:
        if _run([path, "-c", "import venv"]).returncode == 0:
            return path
    return None


def tried(python: Path, version: str, wheel: Path) -> dict[str, Any]:
    """What installing, planning and testing under one interpreter came to."""
    home = ROOT / ".pythons" / version
    uv = shutil.which("uv") or str(ROOT / ".uv/bin/uv")
    started = time.perf_counter()
    own = home / "bin" / "python"
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "small.yaml").write_text(SMALL)
        echelon = [home / "bin" / "echelon"]
        steps = {
            "environment": [uv, "venv", "--quiet", "--clear", "--python", python, home],
            "install": [uv, "pip", "install", "--quiet", "--python", own, "--constraint",
                        ROOT / "constraints.txt", f"{wheel}[desk]", *TEST_TOOLS],
            "version": [*echelon, "--version"],
            "init": [*echelon, "init", folder / "mine"],
            "sample": [*echelon, "sample", "--items", "12", "--regions", "2", "--days", "120",
                       "--out", folder / "mine/raw"],
            "night": [*echelon, "run", "--dataset", "raw", "--raw", "raw", "--as-of", "2025-06-29",
                      "--settings", folder / "small.yaml"],
            "core tests": [own, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS],
        }  # fmt: skip
        for name, command in steps.items():
            cwd = {"night": folder / "mine", "core tests": ROOT}.get(name, folder)
            done = _run(command, cwd)
            if done.returncode:
                last = (done.stdout + done.stderr).strip().splitlines()[-12:]
                return {"version": version, "outcome": f"FAILED at {name}", "said": last}
    said = _run([own, "--version"]).stdout.strip()
    seconds = round(time.perf_counter() - started)
    return {"version": version, "outcome": "passed", "said": [said], "seconds": seconds}


def _run(command: list[object], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )


def main() -> int:
    """Try each version; print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="*", default=SUPPORTED, help="versions to try")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wheels = sorted((ROOT / "dist").glob("echelon-*.whl"))
    if not wheels:
        sys.exit("dist/ holds no wheel. Next: make wheel.")
    results = []
    for version in options.only:
        python = find(version)
        result: dict[str, Any] = {"version": version, "outcome": "not on this machine", "said": []}
        if python:
            result = tried(python, version, wheels[-1])
        results.append(result)
        print(f"{version}: {result['outcome']} {result.get('seconds', '')}", flush=True)
        for line in result["said"]:
            print(f"    {line}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return int(any(str(result["outcome"]).startswith("FAILED") for result in results))


if __name__ == "__main__":
    sys.exit(main())
