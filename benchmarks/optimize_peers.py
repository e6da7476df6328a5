"""The same plan as one linear programme, for general solvers: each runs in a process of its own.

    min  w y + sum v z + overflow_usd o
    s.t. sum_{j in S} y_j + sum_i z_Si >= demand of the steps of S,  0 <= z_Si <= length of step i,
         usage(y) - o <= limit

Steps get cheaper along a set, so the programme covers the dear ones first, as the plan does. It is
the continuous relaxation: its optimum is at most that of any integer plan.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, load_npz, save_npz, vstack

from pipeline.core.flow import HELD
from pipeline.core.item import ItemTables
from pipeline.core.network import Forest
from pipeline.core.prices import Capacity

TIME_LIMIT_S = 300.0


def linear_programme(
    woods: Forest, items: ItemTables, capacity: Capacity
) -> tuple[np.ndarray, np.ndarray, csc_matrix, np.ndarray, np.ndarray]:
    """cost, upper [columns], matrix, row lower, row upper; variables are >= 0."""
    k_of, j_of = np.nonzero(np.isfinite(items.place_usd))
    column = np.full(items.place_usd.shape, -1)
    column[k_of, j_of] = np.arange(len(k_of))
    n_y = len(k_of)
    cost = [items.place_usd[k_of, j_of].astype(float), items.knots[:, 1].astype(float)]
    upper = [np.full(n_y, np.inf), items.knots[:, 0].astype(float)]
    rows, columns, demand, row = [], [], [], 0
    for k in range(len(items)):
        tree = woods.trees[items.tree[k]]
        p = items.start[k]
        for s in range(tree.n_sets):
            q = p + items.count[k, s]
            if q > p:
                inside = column[k, tree.members[s]]
                entries = np.concatenate([inside[inside >= 0], n_y + np.arange(p, q)])
                rows.append(np.full(len(entries), row))
                columns.append(entries)
                demand.append(float(items.knots[p:q, 0].sum()))
                row += 1
            p = q
    n_columns = n_y + len(items.knots)
    covers = coo_matrix(
        (np.ones(sum(map(len, rows))), (np.concatenate(rows), np.concatenate(columns))),
        shape=(row, n_columns + len(capacity)),
    )
    usage = _usage(items, capacity, k_of, j_of)
    overflow = coo_matrix(
        (-np.ones(len(capacity)), (np.arange(len(capacity)), n_columns + np.arange(len(capacity)))),
        shape=(len(capacity), n_columns + len(capacity)),
    )
    usage.resize((len(capacity), n_columns + len(capacity)))
    matrix = vstack([covers, usage + overflow]).tocsc()
    low = np.concatenate([demand, np.full(len(capacity), -np.inf)])
    high = np.concatenate([np.full(row, np.inf), capacity.limit])
    return (
        np.concatenate([*cost, capacity.overflow_usd]),
        np.concatenate([*upper, np.full(len(capacity), np.inf)]),
        matrix, low, high,
    )  # fmt: skip


def _usage(items: ItemTables, capacity: Capacity, k_of: np.ndarray, j_of: np.ndarray):
    """What one unit of each y column holds of every row."""
    _, kinds, nodes = capacity.shape
    cell = (items.week[k_of].astype(int) * kinds + HELD) * nodes + j_of
    by_cell = capacity.rows.tocsc()[:, cell]
    return by_cell.multiply(items.use[k_of, HELD].astype(float)[None, :]).tocoo()


def solve_with(solver: str, programme: tuple) -> dict[str, float]:
    """Objective, CPU seconds and largest violation from a child process."""
    cost, upper, matrix, low, high = programme
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "vectors.npz", cost=cost, upper=upper, low=low, high=high)
        save_npz(Path(folder) / "matrix.npz", matrix)
        done = subprocess.run(
            [sys.executable, __file__, solver, folder], capture_output=True, text=True, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def _highs(method: str, cost, upper, matrix, low, high) -> np.ndarray:
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(cost), len(low)
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, np.zeros(len(cost)), upper
    model.row_lower_, model.row_upper_ = low, high
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    highs = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("time_limit", TIME_LIMIT_S),
                        ("solver", method)):  # fmt: skip
        highs.setOptionValue(name, value)
    if method == "ipm":
        highs.setOptionValue("run_crossover", "off")
    highs.passModel(model)
    highs.run()
    return np.array(highs.getSolution().col_value)


def _ortools(method: str, cost, upper, matrix, low, high) -> np.ndarray:
    from ortools.linear_solver.python import model_builder_helper as helper

    model = helper.ModelBuilderHelper()
    rows = matrix.tocsr()
    model.fill_model_from_sparse_data(np.zeros(len(cost)), upper, cost, low, high, rows)
    solver = helper.ModelSolverHelper(method)
    solver.set_time_limit_in_seconds(TIME_LIMIT_S)
    solver.solve(model)
    return np.array(solver.variable_values())


def _child(solver: str, folder: str) -> None:
    vectors = np.load(Path(folder) / "vectors.npz")
    matrix = load_npz(Path(folder) / "matrix.npz")
    cost, upper, low, high = (vectors[name] for name in ("cost", "upper", "low", "high"))
    began = process_time()
    if solver in ("highs", "highs-ipm"):
        found = _highs("simplex" if solver == "highs" else "ipm", cost, upper, matrix, low, high)
    else:
        found = _ortools(solver, cost, upper, matrix, low, high)
    seconds = process_time() - began
    if not len(found):
        print(json.dumps({"objective": None, "cpu_s": seconds, "violation": None}))
        return
    got = matrix @ found
    excess = np.maximum(np.maximum(got - high, low - got), 0.0) / np.maximum(np.abs(
        np.where(np.isfinite(high), high, low)), 1.0)  # fmt: skip
    answer = {"objective": cost @ found, "cpu_s": seconds, "violation": float(excess.max())}
    print(json.dumps(answer))


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2])
