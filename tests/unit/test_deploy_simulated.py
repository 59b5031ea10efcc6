"""The order of a run's steps: first what the first alert needs, the rest after it or beside the replay."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.demo import simulated, world
from deploy.local.demo.world import ONE_DAY, posts_file, read_calendar


class RecordedSession:
    """Records what a run asks of its session and commands; `steps` are the names of what was done."""

    def __init__(self, root: Path, *, fails_at: str = "") -> None:
        self.layout = type("Layout", (), {"root": root, "logs": root})()
        self.screen = self
        self.commands = self
        self.settings = None
        self.steps: list[str] = []
        self.arguments: dict[str, tuple[str, ...]] = {}
        self._fails_at = fails_at

    def say(self, *_: object, **__: object) -> None:
        """Print nothing."""

    def run(self, name: str, _: str, *arguments: str, **__: object) -> str:
        self.steps.append(name)
        self.arguments[name] = arguments
        if name == self._fails_at:
            raise KeyboardInterrupt
        return ""

    def wait_for(self, query: str, _: str) -> None:
        self.steps.append(f"wait for {query}")

    def start_streaming(self, **_: object) -> None:
        self.steps.append("streaming")

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.steps.append(name)


def play(root: Path, monkeypatch: pytest.MonkeyPatch, **options: str) -> RecordedSession:
    session = RecordedSession(root, **options)
    monkeypatch.setattr(simulated, "is_learned", lambda *_: False)
    monkeypatch.setattr(simulated, "alerts_of_day", lambda *_: [])
    monkeypatch.setattr(world, "read_events", lambda *_: [])
    monkeypatch.setattr(simulated, "report", lambda *_, **__: session.steps.append("report"))
    with contextlib.suppress(KeyboardInterrupt):
        simulated.play_next_day(session, speed="", rate="", limit="")  # type: ignore[arg-type]
    return session


def before(session: RecordedSession, *steps: str) -> bool:
    """Whether `steps` were done in this order."""
    places = [session.steps.index(step) for step in steps]
    return places == sorted(places)


def test_the_first_run_learns_before_the_replay_and_leaves_the_rest_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = play(tmp_path, monkeypatch)
    assert before(
        first, "start_stack", "streaming", "import", "statistics", "show_alerts", "producer", "finish"
    )
    assert before(first, "simulate", "import", "statistics", "load", "report", "airflow-dags-test")
    assert before(first, "wait for archive", "airflow-dags-test", "archive_classes")
    live = read_calendar(tmp_path / "demo", datetime.now(UTC).date()).live_day - ONE_DAY
    assert first.arguments["producer"][1] == str(posts_file(tmp_path / "demo", live))
    assert first.arguments["import"][-1] == str(posts_file(tmp_path / "demo", live - ONE_DAY))
    assert len(first.arguments["import"]) == 2 + 7
    assert first.arguments["airflow-dags-test"][-1] == str(live)


def test_the_next_run_has_nothing_to_learn_because_airflow_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tmp_path, monkeypatch)
    second = play(tmp_path, monkeypatch)
    assert {"import", "statistics", "load"}.isdisjoint(second.steps)
    assert before(second, "start_stack", "streaming", "producer", "airflow-dags-test")


def test_a_day_that_airflow_did_not_finish_is_learned_before_the_next_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = play(tmp_path, monkeypatch, fails_at="airflow-dags-test")
    assert stopped.steps[-1] == "airflow-dags-test"
    calendar = json.loads((tmp_path / "demo" / "calendar.json").read_text())
    played = calendar["played"][-1]
    second = play(tmp_path, monkeypatch)
    assert second.arguments["statistics"][2:5] == (played, "--to", played)
    assert before(second, "statistics", "show_alerts", "load")
