"""Resuming the producer with a real broker: after its end, a kill, a stop, or with changed inputs."""

import gzip
import signal
import time
from pathlib import Path

import pytest

from core.settings import Settings
from tests.producer_runs import a_file, a_line, numbers, run, start, wait_for_state


def test_a_run_that_reached_its_end_or_its_limit_starts_over(settings: Settings, tmp_path: Path) -> None:
    path = a_file(tmp_path, 30)
    assert run(settings, tmp_path, path)["sent"] == 30
    assert run(settings, tmp_path, path, "--limit", "10")["sent"] == 10
    assert run(settings, tmp_path, path)["sent"] == 30
    assert sorted(numbers(settings).values()) == [2] * 20 + [3] * 10


def test_after_a_kill_nothing_is_missing_and_only_what_was_in_flight_is_sent_again(
    settings: Settings, tmp_path: Path
) -> None:
    plain, archive = a_file(tmp_path, 4_000), tmp_path / "more.ndjson.gz"
    archive.write_bytes(gzip.compress(b"".join(a_line(number) for number in range(4_000, 8_000))))
    for seconds in (0.7, 1.1, 0.9):
        process = start(settings, tmp_path, plain, archive, "--rate", "2000")
        wait_for_state(tmp_path / "state")
        time.sleep(seconds)
        process.kill()
        process.communicate()
    summary = run(settings, tmp_path, plain, archive)
    sent = numbers(settings)
    assert set(sent) == set(range(8_000))
    assert summary["finished"] and summary["sent"] < 8_000
    assert sent.total() - 8_000 < 3 * 2000 * 0.6
    assert list((tmp_path / "state").glob("*.json")) == []


@pytest.mark.parametrize(
    ("number", "code", "newest_first"), [(signal.SIGTERM, 143, True), (signal.SIGINT, 130, False)]
)
def test_a_stopped_run_flushes_reports_its_position_and_resumes_there(
    settings: Settings, tmp_path: Path, number: int, code: int, newest_first: bool
) -> None:
    path = a_file(tmp_path, 3_000)
    if newest_first:
        path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))
    process = start(settings, tmp_path, path, "--clock", "original", "--rate", "1000")
    wait_for_state(tmp_path / "state")
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert "stopped: the next run resumes after line" in output
    sent = numbers(settings)
    assert sent == dict.fromkeys(range(len(sent)), 1) and 0 < len(sent) < 3_000
    run(settings, tmp_path, path, "--clock", "original")
    assert numbers(settings) == dict.fromkeys(range(3_000), 1)


def test_no_resume_and_changed_inputs_start_over(settings: Settings, tmp_path: Path) -> None:
    path = a_file(tmp_path, 1_000)
    for change in ("--no-resume", "longer"):
        process = start(settings, tmp_path, path, "--rate", "500")
        wait_for_state(tmp_path / "state")
        process.kill()
        process.communicate()
        if change == "longer":
            a_file(tmp_path, 1_001)
        arguments = ["--no-resume"] if change == "--no-resume" else []
        assert run(settings, tmp_path, path, *arguments)["sent"] == (1_001 if change == "longer" else 1_000)
