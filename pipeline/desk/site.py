"""What every route shares: the desk's places, people, records and templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from pipeline.contracts.settings import Settings
from pipeline.desk.nights import Nights
from pipeline.desk.people import Person
from pipeline.desk.rendering import HEADERS, Renderer
from pipeline.desk.since import Explainer
from pipeline.records.database import Records


@dataclass(frozen=True)
class Desk:
    """A desk over named places; `records` is None where it only reads.

    settings: those of the nights (review.approval_usd; the preview of overrides plans with them).
    release_to: the folder or address that released orders go to, '' for none.
    """

    nights: Nights
    renderer: Renderer
    records: Records | None
    release_to: str
    settings: Settings
    explainer: Explainer = field(default_factory=Explainer)

    def kept(self) -> Records:
        """The records; 404 where none are configured."""
        if self.records is None:
            raise HTTPException(404, "No database of records is configured (ECHELON_RECORDS).")
        return self.records

    def show(
        self, request: Request, person: Person, place: str, as_of: date, template: str,
        *, status: int = 200, current: str = "", **context: Any,
    ) -> Response:  # fmt: skip
        """A page of a night; `current` is its entry in the navigation (default: the template)."""
        return self.renderer.page(
            request, person, f"{template}.html.j2", place=place, as_of=as_of, status=status,
            current=current or template, dates=self.nights.dates(place), **context,
        )  # fmt: skip


def desk_of(request: Request) -> Desk:
    """The desk that serves the request."""
    desk: Desk = request.app.state.desk
    return desk


def person_of() -> Person:
    """Who sent the request. Each door puts its own log-in in this one's place (app.create_app)."""
    raise HTTPException(401, "Nobody is logged in.")


The = Annotated[Desk, Depends(desk_of)]
Known = Annotated[Person, Depends(person_of)]


def back(request: Request, place: str, as_of: date, page: str) -> Response:
    """Sends the browser to a page of the night after a form was taken."""
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/{place}/{as_of}/{page}", 303, headers=HEADERS)
