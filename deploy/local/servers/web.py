"""The page on the stack: started after the servers, stopped with them."""

import sys
from typing import Any

from core.errors import NotReadyError
from deploy.local import processes
from deploy.local.layout import LOOPBACK, Layout, State
from deploy.local.servers.server import answers

NAME = "web"


def web_settings(state: State) -> dict[str, Any]:
    """Return the settings of the page by field; none for the state of a stack from before there was one."""
    port = state.ports.get(NAME)
    return {} if port is None else {"web_port": port, "web_url": f"http://{LOOPBACK}:{port}"}


def start_page(layout: Layout, state: State, environment: dict[str, str]) -> str:
    """Start the page unless it runs, and return its address; it answers within seconds."""
    if processes.running(layout, NAME) is None:
        processes.start(layout, NAME, [sys.executable, "-m", "web"], environment=environment)
    return f"http://{LOOPBACK}:{state.ports[NAME]}/"


def wait_for_page(layout: Layout, address: str) -> None:
    """Wait until the page answers; NotReadyError with the end of its log if it does not."""
    program = processes.running(layout, NAME)
    if program is None:
        log = processes.log_path(layout, NAME)
        raise NotReadyError(
            f"The page stopped while starting. The end of {log}:\n{processes.last_lines(log)}"
        )
    processes.wait_ready(layout, program, lambda: answers(f"{address}pipeline"))
