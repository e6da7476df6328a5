"""Peak load."""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.sections.base import Section


class LaborSettings(Section):
    """Labor, doors and carts of the nodes, in the load stages."""

    days: int = Field(14, ge=1, le=56, description="Days that are staffed.")
    outbound_s_per_unit: float = Field(45.0, gt=0, description="Seconds to pick and pack a unit.")
    inbound_s_per_unit: float = Field(30.0, gt=0, description="Seconds to receive and stow a unit.")
    dock_first_hour: int = Field(6, ge=0, le=23, description="First hour of unloading.")
    dock_last_hour: int = Field(18, ge=1, le=24, description="Hour at which unloading ends.")
    door_units_per_hour: float = Field(600.0, gt=0, description="Units that a door takes an hour.")
    cart_minutes_per_unit: float = Field(1.5, gt=0, description="Minutes that a unit rides a cart.")
    shift_first_hours: tuple[int, ...] = Field((6, 10, 14, 22), description="Starts of shifts.")
    shift_hours: int = Field(8, ge=1, le=12, description="Hours of a shift.")
    wage_usd_per_hour: float = Field(24.0, ge=0, description="Wage.")
    overtime_usd_per_hour: float = Field(36.0, ge=0, description="Wage of overtime.")
    overtime_hours_per_day: float = Field(
        40.0, ge=0, description="Hours bought a day where they cost less than they are worth."
    )


class LoadSettings(Section):
    """Peak load; nothing of it concerns the night."""

    horizon_days: int = Field(731, ge=1, le=1500, description="Days that are forecast by the day.")
    hour_horizon_days: int = Field(56, ge=1, le=731, description="Days that are told by the hour.")
    minute_horizon_days: int = Field(
        14, ge=0, le=366, description="Days that are told by the series' own interval."
    )
    paths: int = Field(200, ge=20, le=5000, description="Sample paths behind every quantile.")
    labor: LaborSettings = LaborSettings()
