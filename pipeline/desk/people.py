"""Who is at the desk and may do what: viewers read; operators override, approve and release."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

COOKIE = "echelon_desk"


@dataclass(frozen=True)
class Person:
    """A person who is logged in: a name for the records, and whether they may write."""

    name: str
    may_write: bool


Recognise = Callable[..., Person]
"""A FastAPI dependency that gives a request's person, or raises HTTPException 401 or 403."""


class Token:
    """Log-in of a desk on one's own machine: a link with a token, then a cookie for the browser."""

    def __init__(self, name: str) -> None:
        self.name, self.token = name, secrets.token_urlsafe(24)

    def __call__(self, request: Request) -> Person:
        """The machine's user, if the cookie holds the token."""
        if not self.admits(request.cookies.get(COOKIE, "")):
            raise HTTPException(401, "Open the link that `echelon desk` printed.")
        return Person(self.name, may_write=True)

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
