"""No line of the pipeline leaves a decision to the processor's own kernels or sorts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "pipeline"
FORBIDDEN = {"eig", "eigh", "svd", "lstsq", "tensordot", "dot", "vdot", "inner", "matmul"}
MAY_MULTIPLY = {
    "core/ascent.py": "sparse rows of capacity: SciPy adds up in order",
    "core/prices.py": "sparse rows of capacity: SciPy adds up in order",
    "core/horizon.py": "a sparse programme: SciPy adds up in order",
    "core/programme.py": "a sparse programme: SciPy adds up in order",
    "core/rounded.py": "a sparse programme: SciPy adds up in order",
    "core/inventory/dual_sourcing.py": "a cost, compared with a tolerance",
    "core/inventory/lost_sales_fixed.py": "a cost, compared with a tolerance",
    "core/inventory/pooling.py": "a figure, not compared",
    "certify/bound.py": "figures, compared with a tolerance",
    "certify/plan.py": "figures, compared with a tolerance",
    "simulate/textbook/known_answers.py": "figures beside published ones, not compared",
}


def lapses(path: str, source: str) -> Iterator[str]:
    """Lines that multiply by BLAS, decompose, sort unstably or let the compiler reorder sums."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            if path not in MAY_MULTIPLY:
                yield f"{path}:{node.lineno}: @ of dense arrays; use core.arithmetic.product or dot"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            is_stable = given.get("kind") == "'stable'"
            name = node.func.attr
            if name in FORBIDDEN and ast.unparse(node.func.value).startswith(("np", "numpy", "sc")):
                yield f"{path}:{node.lineno}: {name} depends on the processor"
            if name == "argsort" and not is_stable:
                yield f"{path}:{node.lineno}: argsort without kind='stable'"
            one_key = bool(node.args) and isinstance(node.args[0], ast.Constant)
            if name == "sort_values" and one_key and not is_stable:
                yield f"{path}:{node.lineno}: sort_values by one column without kind='stable'"
        if isinstance(node, ast.Call) and "fastmath" in {word.arg for word in node.keywords}:
            yield f"{path}:{node.lineno}: fastmath"


def test_no_decision_is_left_to_the_processors_kernels_or_sorts() -> None:
    found = [
        lapse
        for path in sorted(ROOT.rglob("*.py"))
        for lapse in lapses(path.relative_to(ROOT).as_posix(), path.read_text())
    ]
    assert found == []


def test_every_exception_is_still_needed() -> None:
    for path in MAY_MULTIPLY:
        tree = ast.parse((ROOT / path).read_text())
        assert any(isinstance(node, ast.MatMult) for node in ast.walk(tree)), path


@pytest.mark.parametrize(
    "line",
    ["a @ b", "np.linalg.eigh(a)", "np.tensordot(a, b)", "order = a.argsort()",
     "frame.sort_values('x')", "numba.njit(fastmath=True)(f)"],
)  # fmt: skip
def test_each_kind_of_lapse_is_seen(line: str) -> None:
    assert len(list(lapses("core/new.py", line))) == 1


@pytest.mark.parametrize(
    "line",
    ["product(a, b)", "a.argsort(kind='stable')", "frame.sort_values(['x', 'y'])",
     "frame.sort_values('x', kind='stable')"],
)  # fmt: skip
def test_what_is_in_order_is_no_lapse(line: str) -> None:
    assert list(lapses("core/new.py", line)) == []
