"""State file: saved progress is loaded again, and only for the inputs that it belongs to."""

from pathlib import Path

import orjson
import pytest

from core.errors import AlreadyRunningError, BadInputError
from producer.resume import Position, SavedProgress, StateFile, state_path
from producer.sources import Fingerprint

INPUTS = [Fingerprint("/posts.ndjson", 100, "1")]
PROGRESS = SavedProgress(Position(0, 57, 3), 12_000_000, 1_600_000_000_000)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    StateFile(tmp_path / "state.json", INPUTS).save(PROGRESS)
    assert StateFile(tmp_path / "state.json", INPUTS).load() == (PROGRESS, False)


def test_nothing_is_loaded_if_nothing_was_saved_or_it_was_deleted(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.json", INPUTS)
    assert state.load() == (None, False)
    state.save(PROGRESS)
    state.forget()
    assert state.load() == (None, False)


def test_progress_on_inputs_that_have_changed_is_not_used(tmp_path: Path) -> None:
    StateFile(tmp_path / "state.json", INPUTS).save(PROGRESS)
    assert StateFile(tmp_path / "state.json", [Fingerprint("/posts.ndjson", 101, "2")]).load() == (None, True)


def test_the_error_for_a_damaged_state_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_bytes(b'{"version": 1, "posi')
    with pytest.raises(BadInputError, match="delete it, or start over with --no-resume"):
        StateFile(tmp_path / "state.json", INPUTS).load()


def test_two_runs_over_the_same_inputs_exclude_each_other(tmp_path: Path) -> None:
    first, second = (StateFile(tmp_path / "state.json", INPUTS).locked() for _ in range(2))
    with first, pytest.raises(AlreadyRunningError, match="wait for it or stop it"), second:
        pass
    with StateFile(tmp_path / "state.json", INPUTS).locked():
        pass


def test_inputs_topic_and_clock_name_the_state_file(tmp_path: Path) -> None:
    first = state_path(tmp_path, "servers", "topic", "now", "/a", "/b")
    assert first == state_path(tmp_path, "servers", "topic", "now", "/a", "/b")
    assert first != state_path(tmp_path, "servers", "topic", "original", "/a", "/b")


def test_progress_on_sorted_inputs_is_not_that_on_inputs_as_they_come(tmp_path: Path) -> None:
    StateFile(tmp_path / "state.json", INPUTS, in_order=True).save(PROGRESS)
    assert StateFile(tmp_path / "state.json", INPUTS).load() == (None, True)
    assert StateFile(tmp_path / "state.json", INPUTS, in_order=True).load() == (PROGRESS, False)


def test_the_state_file_of_an_older_version_is_loaded(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.json", INPUTS)
    state.save(PROGRESS)
    content = orjson.loads(state.path.read_bytes())
    del content["handed_in_ms"]
    state.path.write_bytes(orjson.dumps(content))
    assert state.load() == (SavedProgress(Position(0, 57, 3), 12_000_000), False)
