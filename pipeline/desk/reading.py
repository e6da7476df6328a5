"""The routes that read: one for each page; pages compute, templates show."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from pipeline.desk.compare import comparison
from pipeline.desk.exports import KINDS, encoded
from pipeline.desk.forecast import forecast_page, hierarchy
from pipeline.desk.item import item_page
from pipeline.desk.listing import exported, page_of
from pipeline.desk.listings import LISTINGS
from pipeline.desk.network import network_page
from pipeline.desk.on_order import on_order_page
from pipeline.desk.projection import projection_page
from pipeline.desk.rendering import HEADERS
from pipeline.desk.since import earlier, since_page
from pipeline.desk.site import Known, The
from pipeline.desk.tonight import tonight
from pipeline.desk.vendors import vendors_page

first, last = APIRouter(), APIRouter()
"""`last` has the routes that match any page name: they come after all others."""


@first.get("/")
def newest(request: Request, desk: The, person: Known) -> Response:
    """The newest night of the first place that has one."""
    root = request.scope.get("root_path", "")
    for place in desk.nights.places:
        if days := desk.nights.dates(place):
            return RedirectResponse(f"{root}/{place}/{days[-1]}/tonight", headers=HEADERS)
    return desk.renderer.page(request, person, "empty.html.j2", roots=desk.nights.places)


@first.get("/{place}/{as_of}/tonight")
def tonight_page(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """What needs a person."""
    night = desk.nights.night(place, as_of)
    found = night.remember("tonight", lambda: tonight(night))
    return desk.show(request, person, place, as_of, "tonight", **found)


@first.get("/{place}/{as_of}/items/{item_id:path}")
def one_item(
    request: Request, desk: The, person: Known, place: str, as_of: date, item_id: str
) -> Response:
    """All about one item."""
    found = item_page(desk.nights.night(place, as_of), item_id)
    if found is None:
        raise HTTPException(404, f"The night of {as_of} knows no item {item_id}.")
    return desk.show(request, person, place, as_of, "item", current="items", **found)


@first.get("/{place}/{as_of}/network")
def network(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Map, use and price of capacities."""
    night = desk.nights.night(place, as_of)
    return desk.show(request, person, place, as_of, "network", **network_page(night))


@first.get("/{place}/{as_of}/vendors")
def vendors(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Vendors' lead times, lateness and spend."""
    night = desk.nights.night(place, as_of)
    found = night.remember("vendors", lambda: vendors_page(night))
    return desk.show(request, person, place, as_of, "vendors", vendors=found)


@first.get("/{place}/{as_of}/forecast")
def forecast(
    request: Request, desk: The, person: Known, place: str, as_of: date, product: str = "",
    where: str = "", period: str = "week",
) -> Response:  # fmt: skip
    """Demand at a level of the hierarchy; scores, moves and findings of the forecast."""
    night = desk.nights.night(place, as_of)
    found = night.remember("forecast", lambda: forecast_page(night))
    chosen = night.remember(
        ("hierarchy", product, where, period), lambda: hierarchy(night, product, where, period)
    )
    return desk.show(request, person, place, as_of, "forecast", **found, **chosen)


@first.get("/{place}/{as_of}/projection")
def projection(
    request: Request, desk: The, person: Known, place: str, as_of: date, by: str = "network",
    group: str = "all", measure: str = "stock_usd",
) -> Response:  # fmt: skip
    """The coming weeks of a group, with bands; `measure` is drawn."""
    found = projection_page(desk.nights.night(place, as_of), by, group, measure)
    return desk.show(request, person, place, as_of, "projection", **found)


@first.get("/{place}/{as_of}/compare")
def compare(
    request: Request, desk: The, person: Known, place: str, as_of: date, other: str = ""
) -> Response:
    """This night beside another of this or another place (other=PLACE/DATE)."""
    nights = desk.nights
    night, chosen = nights.night(place, as_of), other or nights.before(place, as_of)
    found = comparison(nights.named(chosen), night) if chosen else None
    return desk.show(
        request, person, place, as_of, "compare", options=nights.everything(), other=chosen,
        found=found,
    )  # fmt: skip


@first.get("/{place}/{as_of}/on_order")
def on_order(request: Request, desk: The, person: Known, place: str, as_of: date) -> Response:
    """Where order lines stand, what is stuck, and what to ask of vendors."""
    night, root = desk.nights.night(place, as_of), desk.nights.store(place).root
    found = on_order_page(
        night, desk.records, root, desk.settings.review.approval_usd,
        desk.settings.planning.holding_rate_per_year,
    )  # fmt: skip
    return desk.show(request, person, place, as_of, "on_order", **found)


@first.get("/{place}/{as_of}/since")
def since(
    request: Request, desk: The, person: Known, place: str, as_of: date, other: str = "",
    by: str = "category", measure: str = "", item: str = "", category: str = "",
) -> Response:  # fmt: skip
    """Why this night's plan differs from an earlier one's (other=DATE)."""
    night, options = desk.nights.night(place, as_of), earlier(desk.nights.dates(place), as_of)
    chosen = other or (str(options[0]) if options else "")
    answer, done, plans = None, 0, 0
    if chosen:
        before = desk.nights.named(f"{place}/{chosen}")
        answer, (done, plans) = desk.explainer.ask(before, night, desk.settings)
    found = since_page(answer, by, measure, item, category) if answer else None
    return desk.show(
        request, person, place, as_of, "since", options=options, other=chosen, found=found,
        item=item, done=done, plans=plans,
    )  # fmt: skip


@last.get("/{place}/{as_of}/{name}/export.{kind}")
def export(
    request: Request, desk: The, person: Known, place: str, as_of: date, name: str, kind: str
) -> Response:
    """The filtered listing as a file."""
    if name not in LISTINGS or kind not in KINDS:
        raise HTTPException(404, "There is no such table or format.")
    frame = exported(desk.nights.night(place, as_of), LISTINGS[name], request.query_params)
    disposition = {"Content-Disposition": f'attachment; filename="{name}-{as_of}.{kind}"'}
    return Response(encoded(frame, kind), media_type=KINDS[kind], headers=HEADERS | disposition)


@last.get("/{place}/{as_of}/{name}")
def listing(
    request: Request, desk: The, person: Known, place: str, as_of: date, name: str
) -> Response:
    """A table: filtered, grouped, sorted and paged by its address."""
    night = desk.nights.night(place, as_of)
    if name not in LISTINGS:
        raise HTTPException(404, f"There is no page {name}.")
    page = page_of(night, LISTINGS[name], request.query_params)
    return desk.show(request, person, place, as_of, "listing", current=name, page=page)
