"""What a sample world sells: assortment, vendors, prices with promotions, events, and demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

_DEPARTMENTS = (
    # category, department, nouns, price range, cube range (cubic feet), share that is bulky
    ("home", "kitchen", ("kettle", "skillet", "toaster", "blender", "knife set"),
     (15, 90), (0.2, 0.9), 0.1),
    ("home", "furniture", ("side table", "bookcase", "office chair", "bed frame"),
     (60, 320), (4.0, 14.0), 1.0),
    ("grocery", "pantry", ("olive oil", "pasta", "coffee beans", "oat bars", "rice"),
     (4, 22), (0.03, 0.15), 0.0),
    ("grocery", "pet food", ("dog food", "cat litter", "cat food"), (12, 60), (0.4, 1.4), 0.25),
    ("electronics", "audio", ("headphones", "speaker", "sound bar"), (25, 240), (0.1, 1.2), 0.1),
    ("electronics", "cables", ("charging cable", "adapter", "memory card"),
     (6, 35), (0.01, 0.04), 0.0),
    ("outdoor", "garden", ("hose", "planter", "grill", "patio umbrella"),
     (20, 210), (0.6, 9.0), 0.5),
    ("health", "personal care", ("shampoo", "toothbrush", "sunscreen", "soap"),
     (3, 40), (0.02, 0.1), 0.0),
)  # fmt: skip
_BRANDS = ("Alder", "Birch", "Cedar", "Dune", "Elm", "Fjord", "Grove")
_VENDOR_NAMES = ("Alder Brothers", "Birch & Co", "Cedar Trading", "Dune Imports", "Elmwood Supply",
                 "Fjord Goods", "Grove Partners", "Harbor Wholesale")  # fmt: skip
_SUMMER_PEAK_DAY, _HOLIDAY_PEAK_DAY = 185, 345


@dataclass(frozen=True)
class Assortment:
    """Items, vendors and who sells what, with the hidden traits that drive the world's demand."""

    items: pd.DataFrame
    vendors: pd.DataFrame
    vendor_items: pd.DataFrame
    daily_rate: np.ndarray
    """Mean units a day over all regions, by item."""
    dispersion: np.ndarray
    """Size parameter of the negative binomial: small means lumpy."""
    elasticity: np.ndarray
    lateness: np.ndarray
    """Mean days late, by vendor."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """The raw tables among them."""
        return {"items": self.items, "vendors": self.vendors, "vendor_items": self.vendor_items}


@dataclass(frozen=True)
class Prices:
    """Price of each item and day (items x days), and the days."""

    usd: np.ndarray
    days: pd.DatetimeIndex

    def changes(self, regions: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
        """The raw prices table: a row at the launch and wherever the price changes."""
        launch = items["launch_date"].to_numpy()
        day = self.days.to_numpy()
        on_sale = day[None, :] >= launch[:, None]
        changed = np.hstack([np.ones((len(self.usd), 1), dtype=bool), np.diff(self.usd) != 0])
        first = on_sale & ~np.hstack([np.zeros((len(on_sale), 1), dtype=bool), on_sale[:, :-1]])
        row, column = np.nonzero((changed & on_sale) | first)
        change = pd.DataFrame({
            "item_id": items["item_id"].to_numpy()[row], "start_date": self.days[column],
            "price_usd": self.usd[row, column],
        })  # fmt: skip
        table = change.merge(regions[["region_id"]], how="cross")
        return table.sort_values(["item_id", "region_id", "start_date"], ignore_index=True)


def draw_assortment(rng: np.random.Generator, count: int, days: pd.DatetimeIndex) -> Assortment:
    """Items with heavy-tailed rates; a tenth is new, a tenth ends; two vendors for one in four."""
    place = np.arange(count) % len(_DEPARTMENTS)
    kind = [_DEPARTMENTS[i] for i in place]
    low, high = np.array([k[3] for k in kind]).T
    price = np.round(low * (high / low) ** rng.random(count)) - 0.01
    low, high = np.array([k[4] for k in kind]).T
    cube = np.round(low * (high / low) ** rng.random(count), 3)
    bulky = rng.random(count) < np.array([k[5] for k in kind])
    launch, end = _lifetimes(rng, count, days)
    nouns = [k[2][(i // len(_DEPARTMENTS)) % len(k[2])] for i, k in enumerate(kind)]
    items = pd.DataFrame({
        "item_id": [f"ITEM-{i + 1:04d}" for i in range(count)],
        "item_name": [f"{_BRANDS[(i * 5) % 7]} {noun} {i // 8 + 1}"
                      for i, noun in enumerate(nouns)],
        "category": [k[0] for k in kind], "department": [k[1] for k in kind],
        "size_class": np.where(bulky, "non_sortable", "sortable"),
        "unit_cube_cuft": cube, "unit_weight_lb": np.round(cube * 9 + 0.2, 2),
        "list_price_usd": np.round(price, 2), "launch_date": launch, "end_date": end,
    })  # fmt: skip
    # Zipf-like: a few items sell dozens a day, most sell a few a week; dear items sell less.
    rank = rng.permutation(count) + 1
    rate = np.clip(26 * rank**-0.72 * np.minimum(1, 25 / price) ** 0.5, 0.15, None)
    vendors, vendor_items, lateness = _draw_vendors(rng, items, rate)
    return Assortment(items, vendors, vendor_items, rate, rng.choice([0.5, 1.5, 4.0], count),
                      rng.uniform(1.2, 2.4, count), lateness)  # fmt: skip


def _lifetimes(
    rng: np.random.Generator, count: int, days: pd.DatetimeIndex
) -> tuple[pd.Series, pd.Series]:
    launch = pd.Series(days[0] - pd.Timedelta(days=400), index=range(count))
    end = pd.Series(pd.NaT, index=range(count), dtype=launch.dtype)
    chosen = rng.permutation(count)
    new, ending = chosen[: max(1, count // 10)], chosen[-max(1, count // 12) :]
    for item in new:
        launch[item] = days[-1] - pd.Timedelta(days=int(rng.integers(5, 150)))
    for item in ending:
        end[item] = days[-1] + pd.Timedelta(days=int(rng.integers(-20, 45)))
    return launch, end


def _draw_vendors(
    rng: np.random.Generator, items: pd.DataFrame, rate: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    count = len(_VENDOR_NAMES)
    capacity = pd.array([None] * count, dtype="Int64")
    capacity[2] = max(600, int(40 * rate.max()))
    vendors = pd.DataFrame({
        "vendor_id": [f"V-{i + 1:02d}" for i in range(count)], "vendor_name": _VENDOR_NAMES,
        "order_minimum_usd": rng.choice([0.0, 250.0, 500.0, 1000.0], count),
        "vendor_capacity_units_per_order": capacity,
    })  # fmt: skip
    lead = rng.choice([7, 10, 14, 21, 28, 35], count)
    lateness = rng.permutation([0.3, 0.3, 0.6, 1.0, 1.5, 2.0, 3.5, 6.0])
    rows = []
    for i, item in enumerate(items.itertuples()):
        first = int(rng.integers(count))
        others = [first] if rng.random() > 0.25 else [first, (first + 3) % count]
        cost = float(item.list_price_usd) * rng.uniform(0.48, 0.68)
        case = int(rng.choice([1, 2, 4]) if item.unit_cube_cuft > 2 else rng.choice([6, 12, 24]))
        case = case if rate[i] * 28 > case else 1
        for place, vendor in enumerate(others):
            rows.append({
                "vendor_id": f"V-{vendor + 1:02d}", "item_id": item.item_id,
                "unit_cost_usd": round(cost * (1 + 0.08 * place), 2),
                "moq_units": case * int(rng.choice([1, 2, 3])), "case_pack_units": case,
                "quoted_lead_time_days": int(lead[vendor]),
            })  # fmt: skip
    return vendors, pd.DataFrame(rows), lateness


def draw_calendar(regions: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Holidays and two sales events of every year in `days`, in every region."""
    fixed = {
        (1, 1): ("New Year", "holiday"), (7, 4): ("Independence Day", "holiday"),
        (7, 15): ("Summer Sale", "promotion"), (7, 16): ("Summer Sale", "promotion"),
        (11, 28): ("Black Friday", "promotion"), (11, 29): ("Black Friday", "promotion"),
        (12, 25): ("Christmas", "holiday"),
    }  # fmt: skip
    rows = [(day, *fixed[day.month, day.day]) for day in days if (day.month, day.day) in fixed]
    events = pd.DataFrame(rows, columns=["date", "event_name", "event_type"])
    return events.merge(regions[["region_id"]], how="cross")


def draw_prices(
    rng: np.random.Generator, assortment: Assortment, regions: pd.DataFrame,
    days: pd.DatetimeIndex,
) -> Prices:  # fmt: skip
    """List prices, cut by 10-30 % in one- or two-week promotions, some of them still ahead."""
    usd = np.repeat(assortment.items["list_price_usd"].to_numpy()[:, None], len(days), axis=1)
    for item in range(len(usd)):
        for _ in range(int(rng.poisson(len(days) / 120))):
            start = int(rng.integers(len(days)))
            length = int(rng.choice([7, 14]))
            usd[item, start : start + length] = np.round(
                usd[item, 0] * (1 - rng.choice([0.1, 0.2, 0.3])), 2
            )
    return Prices(usd, days)


def draw_demand(
    rng: np.random.Generator, assortment: Assortment, regions: pd.DataFrame,
    calendar: pd.DataFrame, prices: Prices, days: pd.DatetimeIndex,
) -> np.ndarray:  # fmt: skip
    """Units wanted, items x regions x days: negative binomial around season, price and events."""
    items = assortment.items
    share = np.sqrt(regions["population"].to_numpy())
    share = share / share.sum()
    taste = rng.lognormal(0, 0.25, (len(items), len(share)))
    week = np.array([0.95, 0.9, 0.92, 0.97, 1.08, 1.12, 1.06])[days.day_of_week]
    trend = 1 + rng.normal(0, 0.15, len(items))[:, None] * np.linspace(-0.5, 0.5, len(days))
    cut = prices.usd[:, : len(days)] / prices.usd.max(axis=1, keepdims=True)
    mean = assortment.daily_rate[:, None] * _season(items, days) * week * trend
    mean = mean * cut ** -assortment.elasticity[:, None] * _event_lift(calendar, days)
    day = days.to_numpy()
    alive = day >= items["launch_date"].to_numpy()[:, None]
    end = items["end_date"].fillna(days[-1]).to_numpy()[:, None]
    mean = np.where(alive & (day <= end), np.maximum(mean, 0), 0)
    ramp = (day - items["launch_date"].to_numpy()[:, None]).astype("timedelta64[D]").astype(float)
    mean = mean * np.clip(0.35 + ramp / 60, 0.35, 1)
    # A shock that all regions share makes their demand move together, as it does in the world.
    shared = rng.gamma(20, 1 / 20, mean.shape)
    mean = (mean * shared)[:, None, :] * (share * taste)[:, :, None]
    size = assortment.dispersion[:, None, None] * np.maximum(share * len(share), 0.3)[:, None]
    wanted: np.ndarray = rng.poisson(rng.gamma(size, mean / size))
    return wanted


def _season(items: pd.DataFrame, days: pd.DatetimeIndex) -> np.ndarray:
    """Yearly season by department: garden peaks in summer, the rest before the holidays."""
    day = days.day_of_year.to_numpy()
    summer = np.cos(2 * np.pi * (day - _SUMMER_PEAK_DAY) / 365.25)
    gap = np.minimum(abs(day - _HOLIDAY_PEAK_DAY), 365 - abs(day - _HOLIDAY_PEAK_DAY))
    holiday = np.exp(-((gap / 16) ** 2))
    is_garden = (items["department"] == "garden").to_numpy()[:, None]
    gift = items["category"].isin(["electronics", "home"]).to_numpy()[:, None]
    return np.where(is_garden, 1 + 0.6 * summer, 1 + np.where(gift, 0.8, 0.25) * holiday)


def _event_lift(calendar: pd.DataFrame, days: pd.DatetimeIndex) -> np.ndarray:
    kinds = calendar.drop_duplicates("date").set_index("date")["event_type"].reindex(days)
    names = calendar.drop_duplicates("date").set_index("date")["event_name"].reindex(days)
    lift = np.where(kinds == "promotion", 1.7, np.where(kinds == "holiday", 0.8, 1.0))
    return np.where(names == "Christmas", 0.3, lift)
