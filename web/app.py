"""The web application: pages on `/`, live events on `/live`, files on `/static`; read only."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import psycopg2
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.explain.sentence import were_expected
from core.settings import Settings
from sql.connection import pooled, postgres_away
from web import texts
from web.api import create_api
from web.live import Live, TooManyListenersError
from web.views import router

HERE = Path(__file__).parent
LOCAL_HOSTS = ("localhost", "127.0.0.1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Of every answer: nothing is loaded from elsewhere, no text of a post can run."""
FOREVER = "public, max-age=31536000, immutable"
CONNECTIONS = 8
"""Idle connections to Postgres at most."""


def create_app(settings: Settings) -> FastAPI:
    """Return the application; it answers only for the loopback names and `settings.web_hosts`."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        live = Live(settings)
        with pooled(settings, most=CONNECTIONS):
            live.start(asyncio.get_running_loop())
            app.state.live = live
            try:
                yield
            finally:
                await asyncio.to_thread(live.stop)

    app = FastAPI(title="Groundswell", docs_url=None, redoc_url=None, openapi_url=None, lifespan=running)
    app.state.settings = settings
    app.state.templates = templates()
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, *settings.web_hosts])
    app.add_middleware(WithHeaders)
    app.include_router(router)
    app.get("/live", include_in_schema=False)(live_events)
    app.mount("/api/v1", create_api(settings))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_invalid)
    for error in (psycopg2.OperationalError, psycopg2.InterfaceError):
        app.exception_handler(error)(_postgres_away)
    return app


async def live_events(request: Request) -> Response:
    """Stream changes of alerts as server-sent events; after a lost connection from its Last-Event-ID on."""
    last = request.headers.get("Last-Event-ID", "")
    live: Live = request.app.state.live
    events = live.stream(int(last) if last.isdecimal() and len(last) < 19 else None)
    try:
        first = await anext(events)
    except TooManyListenersError:
        return JSONResponse({"detail": "Too many pages are open."}, 503, {"Retry-After": "30"})

    async def all_events() -> AsyncIterator[bytes]:
        yield first
        async for event in events:
            yield event

    return StreamingResponse(
        all_events(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@cache
def templates() -> Jinja2Templates:
    """Return the templates; every value is escaped unless it is Markup."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static
    environment.filters |= {
        "stranger": texts.stranger,
        "tiktok": texts.tiktok_link,
        "word_path": texts.word_path,
        "moment": texts.moment,
        "number": texts.number,
        "growth": texts.growth,
        "people": texts.people,
        "were_expected": were_expected,
        "badges": texts.badges,
    }
    return Jinja2Templates(env=environment)


@cache
def static(name: str) -> str:
    """Return the path of a file in `static/`, which changes with its content."""
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


class WithHeaders:
    """ASGI middleware that adds HEADERS and a cache rule to every answer; streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                versioned = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")
                headers.setdefault("Cache-Control", FOREVER if versioned else "no-cache")
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _error_page(request: Request, status: int, title: str, what_to_do: str) -> Response:
    shown: Jinja2Templates = request.app.state.templates
    context = {"title": title, "what_to_do": what_to_do, "path": request.url.path}
    return shown.TemplateResponse(request, "error.html", context, status_code=status)


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        what = error.detail if error.detail != "Not Found" else "There is no such page."
        return _error_page(request, 404, "Not found", what)
    return _error_page(request, error.status_code, "Not possible", str(error.detail))


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    problems = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
    return _error_page(request, 422, "This address cannot be read", problems)


async def _postgres_away(request: Request, error: psycopg2.Error) -> Response:
    settings: Settings = request.app.state.settings
    return _error_page(request, 503, "The database does not answer", str(postgres_away(settings, error)))
