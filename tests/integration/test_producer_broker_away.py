"""The producer while its broker is away: it waits, and sends every post once."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

from deploy.local import processes, stack
from deploy.local.servers.kafka import kafka_server
from deploy.local.servers.server import bring_up
from tests.producer_runs import a_file, numbers, start, wait_for_state
from tests.servers import own_layout


def test_with_the_broker_away_at_the_start_and_killed_in_the_middle_every_post_arrives_once(
    tmp_path: Path,
) -> None:
    with own_layout() as layout:
        state = stack.prepare(layout)
        settings = stack.settings_of(layout, state)
        server = kafka_server(layout, state, settings)
        process = start(settings, tmp_path, a_file(tmp_path, 6_000), "--rate", "1000")
        time.sleep(2)
        bring_up(layout, server)
        wait_for_state(tmp_path / "state")
        time.sleep(1)
        program = processes.running(layout, "kafka")
        assert program
        os.kill(program.pid, signal.SIGKILL)
        time.sleep(5)
        assert process.poll() is None
        bring_up(layout, server)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "does not answer; waiting for it" in errors and "answers" in errors
        assert "sent 6,000 posts" in output
        assert numbers(settings) == dict.fromkeys(range(6_000), 1)


def test_a_broker_that_has_just_come_up_may_get_its_topics_later(tmp_path: Path) -> None:
    with own_layout() as layout:
        state = stack.prepare(layout)
        settings = stack.settings_of(layout, state)
        server = kafka_server(layout, state, settings)
        process = start(settings, tmp_path, a_file(tmp_path, 100))
        time.sleep(2)
        bring_up(layout, replace(server, provision=lambda: None))
        time.sleep(3)
        assert process.poll() is None
        server.provision()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert numbers(settings) == dict.fromkeys(range(100), 1)
