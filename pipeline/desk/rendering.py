"""Templates: escaped by default, numbers as people read them, links under any prefix."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pipeline.desk.people import Person
from pipeline.review import formats

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
}  # fmt: skip
PAGES = (
    ("tonight", "Tonight"), ("orders", "Orders"), ("transfers", "Transfers"), ("items", "Items"),
    ("network", "Network"), ("vendors", "Vendors"), ("on_order", "On order"), ("money", "Money"),
    ("projection", "Projection"), ("forecast", "Forecast"), ("events", "Events"),
    ("since", "Changes"), ("compare", "Compare"), ("findings", "Data"),
    ("overrides", "Overrides"), ("approval", "Approval"), ("audit", "Audit"),
)  # fmt: skip


def cell(value: Any, style: str) -> str:
    """A value as text: '–' for what does not exist."""
    if value is None:
        return "–"
    if style in ("units", "usd", "usd2", "decimal", "weeks", "share", "days"):
        number = float(value)
        return {
            "units": lambda: formats.count(number), "usd": lambda: formats.usd(number),
            "usd2": lambda: formats.usd(number, 2),
            "decimal": lambda: formats.count(number, 1).replace("-", "−"),
            "weeks": lambda: "> 2 years" if number > 104 else formats.count(number, 1),
            "share": lambda: formats.share(number), "days": lambda: formats.count(number, 1),
        }[style]()  # fmt: skip
    return str(value)


_REASONS = {
    "moq": "vendor's minimum", "case_pack": "full cases", "quiet": "gone quiet", "all": "in all",
    "demand_over_cover": "expected to sell over the cover", "on_order": "on the way in time",
    "capacity_price": "scarce capacity", "rounding": "packs, minima, limits",
}  # fmt: skip


def words(name: Any) -> str:
    """'below_order_up_to' -> 'below order up to'; some codes have better words."""
    return _REASONS.get(str(name)) or str(name).replace("_", " ")


def environment() -> Environment:
    """The desk's templates and filters."""
    made = Environment(
        loader=PackageLoader("pipeline.desk", "templates"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(
        cell=cell, words=words, label=formats.label, figure=formats.figure, change=formats.change,
        signed=formats.signed,
    )  # fmt: skip
    made.globals["spark"] = spark
    return made


def spark(values: list[float], width: int = 120, height: int = 28) -> Markup:
    """A line of the last values as SVG; nothing for fewer than two."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    step = width / (len(values) - 1)
    points = " ".join(
        f"{index * step:.1f},{height - 2 - (height - 4) * (value - low) / ((high - low) or 1):.1f}"
        for index, value in enumerate(values)
    )
    return Markup(  # noqa: S704  only numbers made here enter the markup
        f'<svg class="spark" width="{width}" height="{height}" aria-hidden="true">'
        f'<polyline points="{points}"/></svg>'
    )


class Renderer:
    """Renders a page for a person, with its navigation."""

    def __init__(self) -> None:
        self._environment = environment()

    def page(
        self, request: Request, person: Person, template: str, *, place: str = "",
        as_of: date | None = None, current: str = "", status: int = 200, **context: Any,
    ) -> HTMLResponse:  # fmt: skip
        """The template as a response with the desk's headers."""
        root = request.scope.get("root_path", "")
        night = f"{root}/{place}/{as_of}" if as_of else ""
        text = self._environment.get_template(template).render(
            root=root, night=night, place=place, as_of=as_of, current=current, pages=PAGES,
            person=person, **context,
        )  # fmt: skip
        return HTMLResponse(text, status, HEADERS)
