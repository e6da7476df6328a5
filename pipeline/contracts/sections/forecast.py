"""The forecaster."""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.sections.base import Section


class MeanSettings(Section):
    """How expected demand is learned; the last five are LightGBM's."""

    train_days: int = Field(
        364,
        ge=28,
        description="How far back training origins reach: a year, or else trees know nothing "
        "of what happened a year ago on the days that come.",
    )
    origin_step_days: int = Field(7, ge=1, description="Days between two origins of a series.")
    rows_per_origin: int = Field(2, ge=1, description="Target days drawn for each origin.")
    launch_rows: int = Field(
        8, ge=0, description="Target days drawn in each of the first four weeks of a launch."
    )
    weight_units: float = Field(
        4.0, gt=0, description="Daily units above which a row weighs less: 1 / (1 + level / this)."
    )
    trees: int = Field(200, ge=1, description="Boosting rounds.")
    leaves: int = Field(63, ge=2, description="Leaves of a tree.")
    leaf_rows: int = Field(200, ge=1, description="Rows of a leaf, at least.")
    learning_rate: float = Field(0.08, gt=0, le=1, description="Shrinkage of each tree.")
    max_bin: int = Field(127, ge=15, le=255, description="Bins of a feature.")


class ShapeSettings(Section):
    """How the spread around the mean is learned, by LightGBM."""

    trees: int = Field(80, ge=1, description="Boosting rounds.")
    leaves: int = Field(24, ge=2, description="Leaves of a tree.")
    leaf_rows: int = Field(400, ge=1, description="Rows of a leaf, at least.")
    learning_rate: float = Field(0.08, gt=0, le=1, description="Shrinkage of each tree.")


class HierarchySettings(Section):
    """How far ahead sums are forecast (table demand_hierarchy)."""

    days: int = Field(56, ge=0, le=400, description="Days, at most those of the longest window.")
    weeks: int = Field(78, ge=0, le=156, description="Weeks from tomorrow on.")
    months: int = Field(18, ge=1, le=36, description="Calendar months, the first from tomorrow on.")
    territory_weeks: int = Field(
        8, ge=0, le=156, description="Weeks ahead for which items are also forecast by territory."
    )


class ForecastSettings(Section):
    """What is forecast, and when the model is trained."""

    mean: MeanSettings = MeanSettings()
    shape: ShapeSettings = ShapeSettings()
    hierarchy: HierarchySettings = HierarchySettings()
    calibration_days: int = Field(
        84, ge=14, description="Last days, forecast without having seen them, to learn the spread."
    )
    calibration_step_days: int = Field(
        14, ge=1, description="Days between the origins of those forecasts."
    )
    calibration_items: int = Field(
        1500, ge=1, description="Items whose windows are used for that, at most."
    )
    calibration_strength: float = Field(
        1.0, ge=0, le=1, description="Share of the correction of probability levels applied."
    )
    explained_items: int = Field(
        50, ge=0, description="Items whose forecast moved most, explained by driver each night."
    )
    shard_items: int = Field(500, ge=1, description="Items forecast at a time; bounds memory.")

    train_weekday: int = Field(
        default=6, ge=0, le=6, description="Weekday on which a model is due: 0 Monday … 6 Sunday."
    )
    window_days: tuple[int, ...] = Field(
        default=(7, 14, 21, 28, 35, 42, 56),
        description="Lengths of the windows that start tomorrow.",
    )
