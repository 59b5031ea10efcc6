"""The stage of a fault run: its own servers, which it may stop, kill and pause, and the worlds on them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.settings import Settings
from deploy.local import processes, stack
from deploy.local.layout import Layout
from tests.conftest import make_template
from tests.faults.points import Watch
from tests.faults.world import Undisturbed, World, a_world
from tests.kafka_posts import run_streaming_once
from tests.servers import own_layout


@dataclass
class Stage:
    """The servers, folder and seed of one run."""

    layout: Layout
    servers: Settings
    folder: Path
    seed: int
    kills: int
    undisturbed: Undisturbed

    @contextmanager
    def world(self, name: str, **changes: object) -> Iterator[World]:
        """Create a world on these servers."""
        with a_world(self.servers, self.folder / name, self.seed, **changes) as world:
            yield world

    def watch(self, world: World) -> Watch:
        """Watch a world's streaming process."""
        bucket = self.layout.data("s3") / world.settings.s3_bucket / world.settings.s3_prefix
        return Watch(world.settings, world.checkpoints, bucket)

    def stop(self, server: str) -> None:
        """Stop a server as a user would."""
        processes.stop(self.layout, self._program(server))

    def kill(self, server: str) -> None:
        """Kill a server and all its processes."""
        self._signal(server, signal.SIGKILL)

    def pause(self, server: str) -> None:
        """Suspend a server; its connections stay open."""
        self._signal(server, signal.SIGSTOP)

    def resume(self, server: str) -> None:
        """Resume a paused server."""
        self._signal(server, signal.SIGCONT)

    def up(self) -> None:
        """Start the servers that are not running."""
        stack.up(self.layout)

    def _program(self, server: str) -> processes.Program:
        program = processes.running(self.layout, server)
        assert program is not None, f"{server} is not running"
        return program

    def _signal(self, server: str, number: int) -> None:
        for process in self._program(server).processes():
            try:
                os.kill(process.pid, number)
            except (psutil.Error, ProcessLookupError):
                continue


@contextmanager
def a_stage(seed: int, kills: int) -> Iterator[Stage]:
    """Start servers for one run, with a migrated database to copy from; all is removed at the end."""
    with own_layout() as layout:
        stack.up(layout)
        servers = stack.stack_settings(layout)
        make_template(servers)
        folder = layout.root / "faults"
        undisturbed = Undisturbed(
            servers, folder, lambda settings: run_streaming_once(settings, folder / "undisturbed.log")
        )
        yield Stage(layout, servers, folder, seed, kills, undisturbed)
