"""Laws of the order of posts: what would come too late is sorted, whatever it is packed in, and resumes."""

import gzip
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInputError
from producer.arranging import Times, arrange
from producer.clocks import ClockName
from producer.order import creation_times, lead_seconds, timeline
from producer.outgoing import Numbered
from producer.resume import Position
from producer.schedule import Schedule
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from producer.sorting import SortedPosts
from producer.sources import Input
from tests.factories import settings_without_servers
from tests.packing import input_of

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"
FIRST = 1_584_953_968
NEVER = bool


class Said:
    """Remembers what is said; what is shown is gone."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def show(self, text: str) -> None:
        assert text.startswith("reading when posts were created: ")


def line(seconds: int, text: str = "x") -> bytes:
    post_id, created = FIRST + seconds << 32, FIRST + seconds
    return b'{"itemInfos": {"id": "%d", "text": "%s", "createTime": "%d"}}\n' % (
        post_id,
        text.encode(),
        created,
    )


def arranged(folder: Path, *inputs: Input, **changes: Any) -> tuple[float, list[Numbered] | None, list[str]]:
    """Return where the clock starts, the lines if they are sorted, and what is said."""
    status = Said()
    times = Times(ClockName.ORIGINAL, None, None, None)._replace(**changes)
    settings = settings_without_servers(producer_state_dir=str(folder / "state"))
    with arrange(inputs, times, settings, status=status, is_stopped=NEVER) as found:
        lines = None if found.sorted_lines is None else list(found.sorted_lines(Position()))
        return found.start_at, lines, status.said


def test_an_export_with_the_newest_post_first_is_sent_oldest_first(tmp_path: Path) -> None:
    lines = [line(minute * 60) for minute in range(100)]
    source = input_of(tmp_path, "export.gz", gzip.compress(b"".join(reversed(lines))))
    _, in_order, said = arranged(tmp_path, source)
    assert in_order is not None and [each.data for _, each, _ in in_order] == lines
    assert said == [
        "84 of 100 posts would come too late to be counted, because the files are not in order of time: "
        "they are sorted first (--no-sort sends them as they come)."
    ]
    assert list((tmp_path / "state").iterdir()) == []


def test_posts_as_they_were_delivered_stay_as_they_are(tmp_path: Path) -> None:
    seconds = [60 * minute - (7_200 if minute % 25 == 0 else 0) for minute in range(200)]
    source = input_of(tmp_path, "posts", b"".join(map(line, seconds)))
    assert arranged(tmp_path, source)[1:] == (None, [])
    newest_first = input_of(tmp_path, "newest", b"".join(map(line, sorted(seconds, reverse=True))))
    assert arranged(tmp_path, newest_first, sort=False)[1:] == (None, [])
    assert arranged(tmp_path, newest_first, clock=ClockName.NOW)[1:] == (None, [])
    assert arranged(tmp_path, source, sort=True)[1] is not None


def test_a_simulated_day_with_all_its_defects_is_sent_as_it_was_delivered(tmp_path: Path) -> None:
    world = World(seed=5, start=date(2026, 3, 2), posts_per_day=3_000)
    [path] = simulate_days(world, [0], tmp_path, compress=True, report=lambda records, size: None)
    source = Input(str(path))
    assert max(creation_times([source], is_stopped=NEVER)) > 1_800_000_000
    assert arranged(tmp_path, source)[1:] == (None, [])


def test_an_older_file_after_a_newer_one_is_sent_first(tmp_path: Path) -> None:
    newer = input_of(tmp_path, "newer", line(90_000) + line(90_060))
    older = input_of(tmp_path, "older", line(0) + line(60))
    _, in_order, _ = arranged(tmp_path, newer, older)
    assert in_order is not None
    assert [(name, each.number) for name, each, _ in in_order] == [
        (older.name, 1),
        (older.name, 2),
        (newer.name, 1),
        (newer.name, 2),
    ]


def test_sorting_resumes_after_every_line_and_keeps_lines_that_are_no_posts(tmp_path: Path) -> None:
    shuffled = [line(number % 37, f"{number}") for number in range(500)] + [
        b"broken\n",
        b"\n",
        b'{"itemInfos": {}}\n',
    ]
    random.Random(4).shuffle(shuffled)
    inputs = [
        input_of(tmp_path, "a", b"".join(shuffled[:200])),
        input_of(tmp_path, "b", b"".join(shuffled[200:])),
    ]
    with SortedPosts(inputs, tmp_path / "state", is_stopped=NEVER) as in_order:
        lines = list(in_order.lines(Position()))
        assert sorted(each.data for _, each, _ in lines) == sorted(shuffled)
        assert len(list(in_order.creation_times())) == 500
        for place in (1, 3, 250, 502, 503):
            assert list(in_order.lines(lines[place - 1][2])) == lines[place:]
    for name, each, position in lines:
        assert name == inputs[position.input].name
        assert each.data == shuffled[200 * position.input + position.line - 1]
    with SortedPosts(inputs, tmp_path / "state", is_stopped=NEVER) as again:
        assert list(again.lines(Position())) == lines


def test_what_cannot_be_sorted_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(
            BadInputError, match="Free up space, or name another folder in GROUNDSWELL_PRODUCER_STATE_DIR"
        ),
        SortedPosts([], tmp_path / "file", is_stopped=NEVER),
    ):
        pass
    for inputs, clock in (([Input("-")], ClockName.ORIGINAL), ([], ClockName.NOW)):
        with pytest.raises(BadInputError, match="--sort needs files"):
            arranged(tmp_path, *inputs, clock=clock, sort=True)


@pytest.mark.parametrize("speed", [None, 1.0, 60.0, 3600.0])
def test_no_post_of_a_shifted_clock_is_ahead_of_the_moment_it_is_sent_at(speed: float | None) -> None:
    generator = random.Random(7)
    events = [FIRST + generator.randrange(-600, 600) + 700 * place for place in range(300)]
    start = -lead_seconds(events, speed=speed)
    schedule = Schedule(speed=speed, rate=None, started=0.0)
    ahead = [start + event - events[0] - schedule.due(event) for event in events]
    assert max(ahead) == pytest.approx(0, abs=1e-6)


def test_a_post_that_is_dated_years_ahead_moves_no_clock() -> None:
    assert lead_seconds([0, 60, 10**9, 120], speed=None) == 120


def test_the_start_that_a_user_names_is_the_start(tmp_path: Path) -> None:
    source = input_of(tmp_path, "posts", line(0) + line(7200))
    assert arranged(tmp_path, source, clock=ClockName.SHIFTED, start_at=5.0, speed=60.0)[0] == 5.0


@pytest.mark.parametrize(("speed", "lead"), [(None, 10_800), (3600.0, 10_797), (1.0, 0)])
@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not in ../shared/data/cases")
def test_a_quiet_day_at_high_speed_starts_hours_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float | None, lead: float
) -> None:
    monkeypatch.setattr("time.time", lambda: 1e9)
    source = Input(str(CASES / "shifted-speed" / "posts.ndjson"))
    start_at, in_order, _ = arranged(tmp_path, source, clock=ClockName.SHIFTED, speed=speed)
    assert (start_at, in_order) == (1e9 - lead, None)


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not in ../shared/data/cases")
def test_the_newest_first_case_is_sorted(tmp_path: Path) -> None:
    source = Input(str(CASES / "newest-first" / "newest-first.ndjson"))
    _, in_order, _ = arranged(tmp_path, source)
    assert in_order is not None
    times = list(creation_times([source], is_stopped=NEVER))
    assert len(in_order) == len(times) == 340
    assert timeline(sorted(times), lateness_seconds=0, latest=times[0]).late == 0
