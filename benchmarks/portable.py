"""The same night as other processors would plan it: integers equal, floats how far apart.

python -m benchmarks.portable                                 # the sample's night, all variants
python -m benchmarks.portable --m5 DIR --variants haswell,oldest --json portable.json
python -m benchmarks.portable --tests tests/core tests/optimize   # the tests under each variant

A variant hides from the libraries what this processor could do: OpenBLAS's kernel, NumPy's vector
instructions, the C library's fused steps, Numba's target, threads. Variants that the processor
cannot run are skipped. Ends with status 1 if an integer, a text or a test differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from rich.console import Console
from rich.table import Table

from pipeline.contracts.columns import COLUMNS
from pipeline.contracts.tables import TABLES
from pipeline.store import Store

AVX512 = [name for name in __cpu_dispatch__ if "AVX512" in name or name == "X86_V4"]
NO_FMA = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-FMA4"


@dataclass(frozen=True)
class Variant:
    """Environment and threads of a run; needs: processor features without which it is skipped."""

    environment: dict[str, str] = field(default_factory=dict)
    threads: int = 1
    needs: tuple[str, ...] = ()


def kernel(name: str, *needs: str) -> Variant:
    """OpenBLAS's kernel of a family of processors."""
    return Variant({"OPENBLAS_CORETYPE": name}, needs=needs)


VARIANTS = {
    "as-is": Variant(),
    "haswell": kernel("Haswell", "AVX2", "FMA3"),
    "skylakex": kernel("SkylakeX", "AVX512_SKX"),
    "zen": kernel("Zen", "AVX2", "FMA3"),
    "sandybridge": kernel("Sandybridge", "AVX"),
    "no-avx512": Variant({"NPY_DISABLE_CPU_FEATURES": " ".join(AVX512)}),
    "no-avx2": Variant({"NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__)}),
    "no-fma": Variant({"GLIBC_TUNABLES": NO_FMA}),
    "numba-generic": Variant({"NUMBA_CPU_NAME": "generic"}),
    "four-threads": Variant(threads=4),
    # All of it at once but for Numba's target, which would compile for minutes.
    "oldest": Variant(
        {"OPENBLAS_CORETYPE": "Sandybridge", "GLIBC_TUNABLES": NO_FMA,
         "NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__)}, needs=("AVX",),
    ),
}  # fmt: skip


def main() -> None:
    """Run, compare, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--variants", default=",".join(VARIANTS), help="names, with commas")
    parser.add_argument("--m5", type=Path, help="folder of the M5 files: one of its nights")
    parser.add_argument("--as-of", default="2016-04-03", help="business date of M5's night")
    parser.add_argument("--settings", type=Path, help="settings of the nights")
    parser.add_argument("--tests", nargs="+", help="run these tests instead of a night")
    parser.add_argument("--out", type=Path, help="keep the nights in this folder")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    chosen = {name: VARIANTS[name] for name in arguments.variants.split(",")}
    runnable = {
        name: one for name, one in chosen.items() if all(__cpu_features__.get(f) for f in one.needs)
    }
    console = Console(width=max(Console().width, 110))
    for name in sorted(chosen.keys() - runnable.keys()):
        console.print(f"{name}: skipped, this processor lacks {', '.join(chosen[name].needs)}")
    if arguments.tests:
        failed = [name for name, one in runnable.items() if test(name, one, arguments.tests)]
        report: dict = {"tests": arguments.tests, "variants": list(runnable), "failed": failed}
    else:
        with tempfile.TemporaryDirectory() as spare:
            report = nights(runnable, arguments, arguments.out or Path(spare), console)
        failed = report["failed"]
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    console.print(f"differ or fail: {', '.join(failed) or 'none'} of {', '.join(runnable)}")
    sys.exit(1 if failed else 0)


def test(name: str, variant: Variant, tests: list[str]) -> bool:
    """Whether a test fails under the variant."""
    print(f"== {name}", flush=True)
    command = [
        sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile",
        "-p", "no:cacheprovider", *tests,
    ]  # fmt: skip
    return subprocess.run(command, env=_environment(variant), check=False).returncode != 0


def nights(
    variants: dict[str, Variant], arguments: argparse.Namespace, out: Path, console: Console
) -> dict:
    """One night for each variant, each compared with the first one's."""
    first, rows, failed = "", [], []
    for name, variant in variants.items():
        if not (out / name / "done").is_file():
            night(variant, arguments, out / name)
            (out / name / "done").touch()
        first = first or name
        if name == first:
            continue
        found = [d.row(name) for d in differences(out / first, out / name)]
        rows += found
        moved = [r for r in found if not r["is_same_bytes"]]
        if any(r["rows"] or r["integers"] or r["texts"] for r in found):
            failed.append(name)
        same = f"{len(found) - len(moved)} of {len(found)} tables are the same bytes"
        shown = Table(
            "table", "integers that differ", "texts that differ", "floats that differ",
            "largest relative difference", title=f"{name} beside {first}: {same}",
        )  # fmt: skip
        for r in moved:
            shown.add_row(
                r["table"], f"{r['integers']:,}", f"{r['texts']:,}", f"{r['floats']:,}",
                f"{r['largest']:.1e}",
            )  # fmt: skip
        console.print(shown)
    return {"beside": first, "tables": rows, "failed": failed}


def night(variant: Variant, arguments: argparse.Namespace, out: Path) -> None:
    """Train and plan the night under the variant, in a process of its own."""
    out.mkdir(parents=True, exist_ok=True)
    given = yaml.safe_load(arguments.settings.read_text()) if arguments.settings else {}
    settings = out / "settings.yaml"
    settings.write_text(yaml.safe_dump(given | {"run": {"threads": variant.threads}}))
    m5 = ["--dataset", "m5", "--raw", str(arguments.m5), "--as-of", arguments.as_of]
    command = [
        sys.executable, "-m", "pipeline.cli", "run", "--settings", str(settings), "--out", str(out),
        *(m5 if arguments.m5 else []),
    ]  # fmt: skip
    subprocess.run(command, env=_environment(variant), check=True, stdout=subprocess.DEVNULL)


@dataclass(frozen=True)
class Difference:
    """How two nights' partitions of a table differ: counts of cells, and floats' largest."""

    table: str
    is_same_bytes: bool
    rows: int
    integers: int
    texts: int
    floats: int
    largest: float

    def row(self, variant: str) -> dict:
        """For the JSON file."""
        return {"variant": variant, **self.__dict__}


def differences(one: Path, other: Path) -> Iterator[Difference]:
    """Every published table of two stores, compared cell by cell; both are sorted by key."""
    left, right = Store(one), Store(other)
    for name in TABLES:
        for day in left.dates(name):
            mine, its = (
                [f["sha256"] for f in (s.manifest(day, name) or {"files": []})["files"]]
                for s in (left, right)
            )
            if mine == its:
                yield Difference(name, True, 0, 0, 0, 0, 0.0)
            else:
                yield _compared(name, left, right, day)


def _compared(name: str, left: Store, right: Store, day: date) -> Difference:
    a, b = left.read(day, name), right.read(day, name)
    if len(a) != len(b):
        return Difference(name, False, abs(len(a) - len(b)), 0, 0, 0, 0.0)
    counts, largest = {"integers": 0, "texts": 0, "floats": 0}, 0.0
    for column in TABLES[name].columns:
        is_float = COLUMNS[column].kind == "float"
        x, y = a[column], b[column]
        if not is_float:
            differ = (x.astype("str") != y.astype("str")).to_numpy()
            is_text = COLUMNS[column].kind in ("string", "category")
            counts["texts" if is_text else "integers"] += int(differ.sum())
            continue
        u, v = x.to_numpy("float64"), y.to_numpy("float64")
        differ = ~((u == v) | (np.isnan(u) & np.isnan(v)))
        counts["floats"] += int(differ.sum())
        if differ.any():
            gap = np.abs(u - v)[differ] / np.maximum(np.abs(u), np.abs(v))[differ]
            largest = max(largest, float(pd.Series(gap).fillna(np.inf).max()))
    return Difference(name, False, 0, largest=largest, **counts)


def _environment(variant: Variant) -> dict[str, str]:
    threads = str(variant.threads)
    own = {"OMP_NUM_THREADS": threads, "NUMBA_NUM_THREADS": threads}
    return {**os.environ, **own, **variant.environment}


if __name__ == "__main__":
    main()
