"""The desk as a FastAPI application.

Two doors open it: Airflow's plugin (its log-in and rights) and `echelon desk` (a token in a link).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from pipeline.contracts.settings import Settings
from pipeline.desk import approval, audit, coming, money, overriding, reading, reports
from pipeline.desk.nights import Nights
from pipeline.desk.people import COOKIE, Person, Recognise, Token
from pipeline.desk.rendering import HEADERS, Renderer
from pipeline.desk.site import Desk, person_of
from pipeline.errors import (
    DeliveryError,
    EchelonError,
    MissingPartitionError,
    RecordsError,
    StaleInputError,
    UsageError,
)
from pipeline.records.database import Records

STATIC = Path(__file__).parent / "static"
STATUS = {
    MissingPartitionError: 404, StaleInputError: 409, UsageError: 422, DeliveryError: 502,
    RecordsError: 503,
}  # fmt: skip


def create_app(
    places: Mapping[str, str], recognise: Recognise, records: Records | None = None,
    release_to: str = "", settings: Settings | None = None,
) -> FastAPI:  # fmt: skip
    """The desk over named places (name -> folder or address of nights); see `site.Desk`."""
    app = FastAPI(title="Echelon desk", docs_url=None, redoc_url=None, openapi_url=None)
    renderer = Renderer()
    app.state.desk = Desk(Nights(places), renderer, records, release_to, settings or Settings())
    app.dependency_overrides[person_of] = recognise
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    if isinstance(recognise, Token):
        _log_in(app, recognise)
    for router in (
        reading.first, money.router, coming.router, audit.router, reports.router,
        overriding.router, approval.router, reading.last,
    ):  # fmt: skip
        app.include_router(router)
    _errors(app, renderer)
    return app


def _log_in(app: FastAPI, token: Token) -> None:
    @app.get("/enter")
    def enter(given: Annotated[str, Query(alias="token")] = "") -> Response:
        """Takes the token of the printed link, and sets the cookie."""
        if not token.admits(given):
            raise HTTPException(401, "Open the link that `echelon desk` printed.")
        answer = RedirectResponse("/", headers=HEADERS)
        answer.set_cookie(COOKIE, token.token, httponly=True, samesite="strict")
        return answer


def _errors(app: FastAPI, renderer: Renderer) -> None:
    nobody = Person("", may_write=False)

    def told(request: Request, status: int, text: str) -> Response:
        return renderer.page(
            request, nobody, "error.html.j2", status=status, code=status, text=text
        )

    @app.exception_handler(StarletteHTTPException)
    def http(request: Request, error: StarletteHTTPException) -> Response:
        return told(request, error.status_code, str(error.detail))

    @app.exception_handler(EchelonError)
    def ours(request: Request, error: EchelonError) -> Response:
        return told(request, STATUS.get(type(error), 500), str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        parts = [f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors()]
        return told(request, 422, "; ".join(parts) or "The address does not read.")
