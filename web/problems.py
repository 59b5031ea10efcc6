"""Errors of the API as problem details, `application/problem+json` (RFC 9457)."""

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg2 import InterfaceError, OperationalError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from core.settings import Settings
from sql.connection import postgres_away

MEDIA_TYPE = "application/problem+json"
TITLES = {
    404: ("not-found", "Not found"),
    405: ("not-allowed", "Not allowed"),
    422: ("invalid-parameter", "A parameter cannot be read"),
    503: ("postgres-away", "The database does not answer"),
}


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = Field(examples=["/problems/not-found"])
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] | None = Field(
        None, description="of a wrong parameter: where it is, and what is wrong"
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of routes that answer with these problems."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": TITLES[status][1], "content": content} for status in statuses}


def answer_problems(app: FastAPI) -> None:
    """Let `app` answer every expected error as a problem."""
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_invalid)
    for error in (OperationalError, InterfaceError):
        app.exception_handler(error)(_postgres_away)


def problem(request: Request, status: int, detail: str, errors: Sequence[dict[str, str]] = ()) -> Response:
    """Return one problem as the answer to a request."""
    slug, title = TITLES.get(status, ("not-possible", "Not possible"))
    body = Problem(
        type=f"/problems/{slug}",
        title=title,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=list(errors) or None,
    )
    return Response(orjson.dumps(body.model_dump(exclude_none=True)), status, media_type=MEDIA_TYPE)


async def _http_error(request: Request, error: HTTPException) -> Response:
    response = problem(request, error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    errors = [{"where": ".".join(map(str, wrong["loc"])), "what": wrong["msg"]} for wrong in error.errors()]
    return problem(request, 422, "; ".join(f"{wrong['where']}: {wrong['what']}" for wrong in errors), errors)


async def _postgres_away(request: Request, error: OperationalError) -> Response:
    settings: Settings = request.app.state.settings
    return problem(request, 503, str(postgres_away(settings, error)))
