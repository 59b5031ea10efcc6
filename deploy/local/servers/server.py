"""What Kafka, S3 and Postgres have in common: how each is prepared, started, probed and provisioned."""

import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import NotReadyError
from deploy.local import processes
from deploy.local.layout import Layout


@dataclass(frozen=True)
class Server:
    """One server of the stack.

    `prepare` creates what must exist before it starts; `provision` creates what the pipeline needs inside the
    running server; both may run again at any time.
    """

    name: str
    port: int
    command: Sequence[str]
    data: Path
    prepare: Callable[[], None]
    is_ready: Callable[[], bool]
    provision: Callable[[], None]
    account: str | None = None
    directory: Path | None = None
    environment: Mapping[str, str] | None = None
    stop_signal: int = signal.SIGTERM


def bring_up(layout: Layout, server: Server) -> None:
    """Start the server unless it runs, wait until it answers, provision it; stop it again if that fails."""
    if _answers_already(layout, server):
        server.provision()
        return
    server.prepare()
    program = processes.start(
        layout,
        server.name,
        server.command,
        environment=server.environment,
        account=server.account,
        directory=server.directory,
        stop_signal=server.stop_signal,
    )
    try:
        processes.wait_ready(layout, program, server.is_ready)
        server.provision()
    except BaseException:
        processes.stop(layout, program)
        raise


def _answers_already(layout: Layout, server: Server) -> bool:
    """Return whether the server runs and answers; clear away one that is dying or left children behind."""
    program = processes.running(layout, server.name)
    if program is None:
        return False
    try:
        processes.wait_ready(layout, program, server.is_ready)
    except NotReadyError:
        if program.leader_lives():
            raise
        processes.stop(layout, program)
        return False
    return True


def answers(address: str) -> bool:
    """Return whether a page on this machine answers with success."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310, http on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
