"""`groundswell web`: serves the page until Ctrl-C or SIGTERM."""

import ipaddress
import logging
import socket
from contextlib import closing
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from core.command_line import errors_as_sentences
from core.errors import NotReadyError, SettingsError
from core.settings import Settings, read_settings
from sql.connection import transaction
from sql.failures import postgres_sentence
from web.app import create_app

STOP_SECONDS = 2
"""How long open streams may take to end."""


@errors_as_sentences(translate=postgres_sentence)
def web_command(
    address: Annotated[
        str | None, typer.Option(help="Loopback address to listen on.", show_default=False)
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0: any free one.", show_default=False)
    ] = None,
) -> None:
    """Serve the page of alerts, incidents, trends and the pipeline until Ctrl-C or SIGTERM.

    It reads Postgres only. It has no sign-in, so it listens on loopback addresses alone; a proxy that signs
    users in may pass requests on, with its name in GROUNDSWELL_WEB_HOSTS.
    """
    settings = read_settings()
    host = loopback(address or settings.web_address)
    check_schema(settings)
    with closing(listening_socket(host, settings.web_port if port is None else port)) as listener:
        typer.echo(f"http://{host}:{listener.getsockname()[1]}/", err=True)
        logging.basicConfig(level=logging.WARNING)
        server_of(create_app(settings)).run(sockets=[listener])


class Server(uvicorn.Server):
    """uvicorn, which would wait for streams that never end: they are ended when it is asked to stop."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams, then stop."""
        app = self.config.app
        if isinstance(app, FastAPI) and hasattr(app.state, "live"):
            app.state.live.end_streams()
        await super().shutdown(sockets)


def server_of(app: FastAPI) -> Server:
    """Return a server for the application."""
    return Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=STOP_SECONDS, access_log=False)
    )


def loopback(address: str) -> str:
    """Return `address` if only this machine reaches it; raise SettingsError otherwise.

    >>> loopback("127.0.0.1"), loopback("localhost")
    ('127.0.0.1', '127.0.0.1')
    """
    if address == "localhost":
        return "127.0.0.1"
    try:
        is_loopback = ipaddress.IPv4Address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise SettingsError(
            f"The page has no sign-in, so it does not listen on {address}, where others could reach it. Use "
            "127.0.0.1, and a proxy that signs users in for others."
        )
    return address


def check_schema(settings: Settings) -> None:
    """Raise NotReadyError if the database lacks what the page reads."""
    with transaction(settings, application_name="groundswell web") as cursor:
        cursor.execute("SELECT to_regclass('alert_events') IS NOT NULL")
        if cursor.fetchone() != (True,):
            raise NotReadyError("The database lacks the newest tables. Run: groundswell migrate")


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raise NotReadyError if the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise NotReadyError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another port with --port."
        ) from error
    return listener
