"""Plain-text tables for the terminal: text to the left, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

Cell = str | int | float


def text_table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], indent: int = 2) -> str:
    """Lines of an aligned table with a header; integers get separators, floats two decimals."""
    body = [[_cell(value) for value in row] for row in rows]
    is_number = [
        all(isinstance(row[i], int | float) for row in rows) and bool(rows)
        for i in range(len(columns))
    ]
    width = [max(len(line[i]) for line in [list(columns), *body]) for i in range(len(columns))]
    lines = []
    for line in [list(columns), *body]:
        cells = [
            text.rjust(width[i]) if is_number[i] else text.ljust(width[i])
            for i, text in enumerate(line)
        ]
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def _cell(value: Cell) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else value
