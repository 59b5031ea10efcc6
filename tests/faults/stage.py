"""The stage of a run of faults: the servers of its own, which it may stop, kill and pause, and the worlds on them."""

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
    """The servers of one run, its folder and its seed."""

    layout: Layout
    servers: Settings
    folder: Path
    seed: int
    kills: int
    undisturbed: Undisturbed

    @contextmanager
    def world(self, name: str, **changes: object) -> Iterator[World]:
        """A world on these servers."""
        with a_world(self.servers, self.folder / name, self.seed, **changes) as world:
            yield world

    def watch(self, world: World) -> Watch:
        """Look at the work of a world's streaming process."""
        bucket = self.layout.data("s3") / world.settings.s3_bucket / world.settings.s3_prefix
        return Watch(world.settings, world.checkpoints, bucket)

    def stop(self, server: str) -> None:
        """Stop a server as a person would."""
        processes.stop(self.layout, self._program(server))

    def kill(self, server: str) -> None:
        """Kill a server with all its processes."""
        self._signal(server, signal.SIGKILL)

    def pause(self, server: str) -> None:
        """Let a server stand still, its connections open."""
        self._signal(server, signal.SIGSTOP)

    def resume(self, server: str) -> None:
        """Let a paused server go on."""
        self._signal(server, signal.SIGCONT)

    def up(self) -> None:
        """Start the servers that do not run."""
        stack.up(self.layout)

    def _program(self, server: str) -> processes.Program:
        program = processes.running(self.layout, server)
        assert program is not None, f"{server} does not run"
        return program

    def _signal(self, server: str, number: int) -> None:
        for process in self._program(server).processes():
            try:
                os.kill(process.pid, number)
            except (psutil.Error, ProcessLookupError):
                continue


@contextmanager
def a_stage(seed: int, kills: int) -> Iterator[Stage]:
    """Servers for one run, with a migrated database to copy from; all of it gone at the end."""
    with own_layout() as layout:
        stack.up(layout)
        servers = stack.stack_settings(layout)
        make_template(servers)
        folder = layout.root / "faults"
        undisturbed = Undisturbed(
            servers, folder, lambda settings: run_streaming_once(settings, folder / "undisturbed.log")
        )
        yield Stage(layout, servers, folder, seed, kills, undisturbed)
