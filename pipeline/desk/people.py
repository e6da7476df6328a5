"""Who is at the desk and may do what: viewers read; planners override, approve and release within
limits (settings review.planner_override_usd and planner_approval_usd); leads without."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from pipeline.errors import UsageError

COOKIE = "echelon_desk"


@dataclass(frozen=True)
class Person:
    """A person who is logged in: a name for the records, whether they may write, and whether the
    limits of planners do not hold for them."""

    name: str
    may_write: bool
    is_lead: bool = False


Recognise = Callable[..., Person]
"""A FastAPI dependency that gives a request's person, or raises HTTPException 401 or 403."""


class Token:
    """Log-in of a desk on one's own machine: a link with a token, then a cookie for the browser."""

    def __init__(self, name: str, is_lead: bool = True) -> None:
        self.name, self.is_lead, self.token = name, is_lead, secrets.token_urlsafe(24)

    def __call__(self, request: Request) -> Person:
        """The machine's user, if the cookie holds the token."""
        if not self.admits(request.cookies.get(COOKIE, "")):
            raise HTTPException(401, "Open the link that `echelon desk` printed.")
        return Person(self.name, may_write=True, is_lead=self.is_lead)

    def admits(self, given: str) -> bool:
        """Whether it is the token, compared in constant time."""
        return hmac.compare_digest(given.encode(), self.token.encode())


def require_writer(request: Request, person: Person) -> None:
    """403 unless the person may write and the form was sent from a page of this desk."""
    if not person.may_write:
        raise HTTPException(403, "You may read here; changing needs the right to edit the DAG.")
    origin = request.headers.get("origin") or request.headers.get("referer")
    if not origin or urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "The form was not sent from a page of this desk.")


def require_within(person: Person, usd: float, limit_usd: float, what: str) -> None:
    """UsageError where `what` moves more money than the person may move alone."""
    if not person.is_lead and abs(usd) > limit_usd:
        raise UsageError(
            f"{what} moves ${abs(usd):,.0f}; planners move ${limit_usd:,.0f} at most, and nothing "
            "was saved. Next: make it smaller, or ask a lead to do it."
        )
