"""Every column of every table, once: type, unit in the name, meaning and range.

A table (see `tables`) is a list of these names; `fields` holds them by the stage that writes them.
`Kind` is the physical type; `null` says what a missing value means, and a column without it admits
none.
"""

from __future__ import annotations

from pipeline.contracts.fields.assort import ASSORT_COLUMNS
from pipeline.contracts.fields.forecast import FORECAST_COLUMNS
from pipeline.contracts.fields.load import LOAD_COLUMNS
from pipeline.contracts.fields.names import (
    ABC_CLASSES,
    AGE_BANDS,
    DEPENDENCE_GROUPS,
    DRIVERS,
    LEAVES,
    NO_LIMIT,
    OVERRIDE_KINDS,
    OVERRIDE_TARGETS,
    PERIODS,
    PLACE_LEVELS,
    PRICED_RESOURCES,
    PRODUCT_LEVELS,
    QUANTILE_COLUMNS,
    QUANTILE_LEVELS,
    RAISED_WORDS,
    REASON_CODES,
    RESOURCES,
    SIZE_CLASSES,
    TIERS,
    TRANSFER_DRIVERS,
    USD_COLUMNS,
    USD_LEVELS,
    WEEKDAYS,
    quantile_column,
)
from pipeline.contracts.fields.optimize import OPTIMIZE_COLUMNS
from pipeline.contracts.fields.orders import ORDER_COLUMNS
from pipeline.contracts.fields.raw import ID_COLUMNS, RAW_COLUMNS
from pipeline.contracts.fields.simulate import SIMULATE_COLUMNS
from pipeline.contracts.kinds import Column, Kind

__all__ = [
    "ABC_CLASSES",
    "AGE_BANDS",
    "COLUMNS",
    "DEPENDENCE_GROUPS",
    "DRIVERS",
    "LEAVES",
    "NO_LIMIT",
    "OVERRIDE_KINDS",
    "OVERRIDE_TARGETS",
    "PERIODS",
    "PLACE_LEVELS",
    "PRICED_RESOURCES",
    "PRODUCT_LEVELS",
    "QUANTILE_COLUMNS",
    "QUANTILE_LEVELS",
    "RAISED_WORDS",
    "REASON_CODES",
    "RESOURCES",
    "SIZE_CLASSES",
    "TIERS",
    "TRANSFER_DRIVERS",
    "USD_COLUMNS",
    "USD_LEVELS",
    "WEEKDAYS",
    "Column",
    "Kind",
    "quantile_column",
]

COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        *ID_COLUMNS,
        *RAW_COLUMNS,
        *FORECAST_COLUMNS,
        *ASSORT_COLUMNS,
        *OPTIMIZE_COLUMNS,
        *ORDER_COLUMNS,
        *SIMULATE_COLUMNS,
        *LOAD_COLUMNS,
    )
}
