"""Laws of files of counts: one form of time for a column, local days whole, and any common shape of CSV."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from batch.backtest.counts_file import open_counts
from core.errors import BadInputError
from detection.seasonality import seasonality_for

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"
NEEDS_CASES = pytest.mark.skipif(not CASES.is_dir(), reason=f"{CASES} is absent")
QUARTERS = [datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=15 * n) for n in range(4 * 24)]


def posts_by_window(path: Path, window: str = "15m") -> dict[str, int]:
    """Return the posts of a file's windows, by their start in UTC."""
    seconds = seasonality_for(window).window_seconds
    with open_counts(path, seasonality_for(window)) as table:
        return {
            f"{datetime.fromtimestamp(int(number) * seconds, UTC):%Y-%m-%d %H:%M}": int(posts)
            for cycle in table.read()
            for number, posts in zip(cycle.window, cycle.posts, strict=True)
        }


def written(folder: Path, text: str | bytes, name: str = "tea.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def a_series(folder: Path, times: list[str]) -> Path:
    rows = "".join(f"{time},{number % 7 + 1}\n" for number, time in enumerate(times))
    return written(folder, "timestamp,value\n" + rows)


@pytest.mark.parametrize(
    "form",
    [
        "{0:%Y-%m-%dT%H:%M:%SZ}",
        "{0:%Y-%m-%d %H:%M}",
        "{0:%Y/%m/%d %H:%M:%S UTC}",
        "{0:%Y-%m-%dT%H:%M:%S.000z}",
        "{1:%Y-%m-%dT%H:%M:%S%z}",
        "{1:%Y-%m-%d %H:%M %z}",
        "{0:%Y%m%d%H%M}",
        "{0:%Y%m%d%H%M%S}",
        "{0:%Y%m%dT%H%M%SZ}",
        "{2}",
        "{2}.0",
        "{2}000",
        "{2}000000",
        "{2}000000000",
        "{3:.10f}",
    ],
)
def test_every_form_of_time_is_read_as_the_same_windows(tmp_path: Path, form: str) -> None:
    india = ZoneInfo("Asia/Kolkata")
    spreadsheet = [moment.timestamp() / 86_400 + 25_569 for moment in QUARTERS]
    texts = [
        form.format(moment, moment.astimezone(india), int(moment.timestamp()), days)
        for moment, days in zip(QUARTERS, spreadsheet, strict=True)
    ]
    assert posts_by_window(a_series(tmp_path, texts)) == {
        f"{moment:%Y-%m-%d %H:%M}": number % 7 + 1 for number, moment in enumerate(QUARTERS)
    }


@pytest.mark.parametrize(
    ("times", "windows"),
    [
        (["20261020", "20261021", "20261022"], ["2026-10-20", "2026-10-21", "2026-10-22"]),
        (["20261020.0", "20261021.0"], ["2026-10-20", "2026-10-21"]),
        (["2021010100", "2021010200"], ["2021-01-01", "2021-01-02"]),
        (["46315", "46316"], ["2026-10-20", "2026-10-21"]),
        (["2026-10-20", "2026-10-21"], ["2026-10-20", "2026-10-21"]),
    ],
)
def test_days_written_as_numbers_are_those_days(tmp_path: Path, times: list[str], windows: list[str]) -> None:
    assert list(posts_by_window(a_series(tmp_path, times), "1d")) == [f"{day} 00:00" for day in windows]


@pytest.mark.parametrize(
    ("times", "line", "bad"),
    [
        (["20261020", "20261021", "20261032"], 4, "20261032"),
        (["2021010100", "2021013200", "2021010300"], 3, "2021013200"),
        (["1767571200", "2021010100", "1767571300"], 3, "2021010100"),
        (["20261020", "2026-10-21", "20261022"], 3, "2026-10-21"),
        (["1767571200", "1767571200000", "1767571300"], 3, "1767571200000"),
        (["2026-10-20T00:00:00", "2026-10-21T00:00:00", "2026-10-21T00:00:00+02:00"], 4, "+02:00"),
        (["46315", "20261021", "46317"], 3, "20261021"),
        (["20102026", "21102026"], 2, "20102026"),
        (["20515", "20516"], 2, "20515"),
        (["0", "900"], 2, "0"),
        (["26-10-20", "26-10-21"], 2, "26-10-20"),
        (["epoch", "infinity"], 2, "epoch"),
        (["1.767e9", "1.767e9"], 2, "1.767e9"),
        (["10/20/2026", "10/21/2026"], 2, "10/20/2026"),
    ],
)
def test_what_is_no_time_in_the_form_of_the_others_is_named_by_line_and_value(
    tmp_path: Path, times: list[str], line: int, bad: str
) -> None:
    with pytest.raises(BadInputError) as error:
        posts_by_window(a_series(tmp_path, times), "1d")
    assert f"line {line}: not a time: " in str(error.value) and bad in str(error.value)


def test_a_column_that_names_utc_in_winter_and_an_offset_in_summer_is_one_form(tmp_path: Path) -> None:
    times = ["2026-03-28T12:00:00Z", "2026-03-29T12:00:00+01:00", "2026-03-30T12:00:00+01:00"]
    windows = ["2026-03-28 12:00", "2026-03-29 11:00", "2026-03-30 11:00"]
    assert list(posts_by_window(a_series(tmp_path, times))) == windows


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Tokyo", "Australia/Sydney"])
@pytest.mark.parametrize("month", [3, 10])
def test_local_days_are_the_days_that_the_rows_name(tmp_path: Path, zone: str, month: int) -> None:
    first = datetime(2026, month, 1, tzinfo=ZoneInfo(zone))
    days = [first + timedelta(days=n) for n in range(45)]
    windows = posts_by_window(a_series(tmp_path, [day.isoformat() for day in days]), "1d")
    assert windows == {f"{day:%Y-%m-%d} 00:00": number % 7 + 1 for number, day in enumerate(days)}


def test_hours_of_a_local_day_are_summed_to_that_day(tmp_path: Path) -> None:
    begin = datetime(2026, 3, 28, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    hours = [(begin + timedelta(hours=n)).astimezone(ZoneInfo("Europe/Berlin")) for n in range(24 + 23 + 24)]
    path = written(tmp_path, "timestamp,value\n" + "".join(f"{hour.isoformat()},1\n" for hour in hours))
    expected = {"2026-03-28 00:00": 24, "2026-03-29 00:00": 23, "2026-03-30 00:00": 24}
    assert posts_by_window(path, "1d") == expected


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_midnights_of_london_in_utc_are_one_window_a_day(tmp_path: Path, day: str) -> None:
    london = ZoneInfo("Europe/London")
    days = [datetime.fromisoformat(day).replace(tzinfo=london) + timedelta(days=n) for n in range(3)]
    times = [f"{one.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for one in days]
    windows = posts_by_window(a_series(tmp_path, times), "1d")
    assert list(windows) == [f"{one:%Y-%m-%d} 00:00" for one in days]


def test_local_windows_of_six_hours_are_neither_doubled_nor_empty(tmp_path: Path) -> None:
    london = ZoneInfo("Europe/London")
    times = [datetime(2026, 3, 29, tzinfo=london) + timedelta(hours=6 * n) for n in range(8)]
    windows = posts_by_window(a_series(tmp_path, [time.isoformat() for time in times]), "6h")
    assert list(windows.values()) == [n % 7 + 1 for n in range(8)]


HEADER, ROWS = "window_start,keyword,posts", ["2026-01-05T00:00:00,tea,5", "2026-01-05T00:15:00,tea,6"]
TEA = {"2026-01-05 00:00": 5, "2026-01-05 00:15": 6}


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\r\n{ROWS[0]}\r\n{ROWS[1]}\n",
        f"{HEADER}\n{ROWS[0]}\r\n{ROWS[1]}\n",
        f"{HEADER}\n{ROWS[0]}\r{ROWS[1]}\r\n",
        f"\ufeff{HEADER}\r\n{ROWS[0]}\n{ROWS[1]}\r\n",
        f",{HEADER}\n0,{ROWS[0]}\n1,{ROWS[1]}\n",
        f"Unnamed: 0,{HEADER}\n0,{ROWS[0]}\n1,{ROWS[1]}\n",
        f"{HEADER}\n1,{ROWS[0]}\n2,{ROWS[1]}\n",
        f"{HEADER},\n{ROWS[0]},\n{ROWS[1]},\n",
        f"{HEADER},,,\n{ROWS[0]},,,\n{ROWS[1]},,,\n",
        f"{HEADER},\n{ROWS[0]}\n{ROWS[1]}\n",
        f"{HEADER}\n{ROWS[0]},\n{ROWS[1]},\n",
        f"{HEADER},\n{ROWS[0]},a note\n{ROWS[1]},\n",
        f"{HEADER};\n{ROWS[0]};\n{ROWS[1]};\n".replace(",", ";"),
        f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n".replace(",", "\t"),
        f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n".replace(",", "|"),
        f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n".replace(",", '","').replace("\n", '"\n"').join('""')[:-2],
        f" Window_Start , KEYWORD,posts\n{ROWS[0]}.0\n{ROWS[1]}.0\n",
    ],
)
def test_every_shape_of_csv_is_read_as_the_same_counts(tmp_path: Path, text: str) -> None:
    assert posts_by_window(written(tmp_path, text)) == TEA
    assert posts_by_window(written(tmp_path, gzip.compress(text.encode()), "packed.csv")) == TEA


@pytest.mark.parametrize("name", ["a[1].csv", "a*.csv", "a?.csv", "it's.csv", "a b.csv"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str) -> None:
    written(tmp_path, "\n".join([HEADER, *ROWS, *ROWS]) + "\n", "a1.csv")
    assert posts_by_window(written(tmp_path, "\n".join([HEADER, *ROWS]) + "\n", name)) == TEA


@pytest.mark.parametrize("text", [",timestamp,value\n0,2026-01-05,5\n", "timestamp;value;\n2026-01-05;5;\n"])
def test_a_series_may_have_an_index_or_trailing_separators(tmp_path: Path, text: str) -> None:
    assert posts_by_window(written(tmp_path, text)) == {"2026-01-05 00:00": 5}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'{HEADER}\n{ROWS[0]}\r\n2026-01-05,"tea,5\n', "line 3: a quoted cell does not end"),
        (f"{HEADER}\n{ROWS[0]}\r\n2026-01-05,tea\n", "line 3: 2 columns instead of 3"),
        (f"{HEADER}\n{ROWS[0]}\r\n{ROWS[1]}\nnever,tea,1\n", "line 4: not a time: never"),
        (f"{HEADER}\n{ROWS[0]}\n2026-01-05,té,5\n".encode("latin-1"), "cannot be read: "),
        (f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n".encode("utf-16"), "cannot be read: "),
        (gzip.compress(f"{HEADER}\n{ROWS[0]}\n".encode(), mtime=0)[:-9], "cannot be read: "),
        ("window_start;keyword;posts\n2026-01-05;tea;1.000\n", "line 2: not a count: 1.000"),
        ("window_start;keyword;posts\n2026-01-05;tea;5,0\n", "line 2: not a count: 5,0"),
    ],
)
def test_an_error_names_line_and_value_in_words_of_the_file(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    with pytest.raises(BadInputError) as error:
        posts_by_window(written(tmp_path, text))
    assert reason in str(error.value) and not {"DuckDB", "Error:", "strict_mode"} & set(
        str(error.value).split()
    )


@pytest.mark.parametrize(
    ("minutes", "window", "words"),
    [
        (60, "15m", ["every fourth window", "--window 1h"]),
        (30, "15m", ["every second window", "--window 30m"]),
        (1_440, "15m", ["every 96th window", "--window 1d"]),
        (1_440, "1h", ["every 24th window", "--window 1d"]),
        (45, "15m", ["every third window", "counts of every window"]),
    ],
)
def test_rows_further_apart_than_windows_are_said_with_the_window_to_give(
    tmp_path: Path, minutes: int, window: str, words: list[str]
) -> None:
    numbers = [number for number in range(100) if not 40 < number < 50]
    times = [f"{QUARTERS[0] + timedelta(minutes=minutes * number):%Y-%m-%dT%H:%MZ}" for number in numbers]
    with open_counts(a_series(tmp_path, times), seasonality_for(window)) as table:
        assert table.hint is not None and [word for word in words if word not in table.hint] == []


@pytest.mark.parametrize(("step", "window"), [(15, "15m"), (5, "15m"), (60, "1h"), (1_440, "1d")])
def test_rows_in_every_window_and_those_without_a_rhythm_give_no_hint(
    tmp_path: Path, step: int, window: str
) -> None:
    rare = [int(number) for number in np.cumsum(np.random.default_rng(2).integers(2, 40, 50))]
    for minutes in ([step * number for number in range(50)], [15 * number for number in rare]):
        times = [f"{QUARTERS[0] + timedelta(minutes=one):%Y-%m-%dT%H:%MZ}" for one in minutes]
        with open_counts(a_series(tmp_path, times), seasonality_for(window)) as table:
            assert table.hint is None


@NEEDS_CASES
@pytest.mark.parametrize(
    ("case", "window", "rows", "known"),
    [
        ("compact-dates/days.csv", "1d", 60, {"2026-10-21 00:00": 1113}),
        ("compact-dates/pageviews.csv", "1d", 60, {"2021-01-02 00:00": 8449}),
        ("dst-daily/tea.csv", "1d", 120, {"2026-03-29 00:00": 337, "2026-03-30 00:00": 333}),
        ("dst-daily/tea_oct.csv", "1d", 150, {"2025-10-26 00:00": 337, "2025-10-27 00:00": 333}),
        ("excel-serial/excel_serial.csv", "1d", 60, {"2025-09-02 00:00": 197}),
        ("line-ends/crlf_then_lf.csv", "15m", 400, {"2026-01-05 00:15": 6}),
        ("index-column/index.csv", "15m", 200, {"2026-01-07 01:45": 6}),
        ("index-column/trailing.csv", "15m", 200, {"2026-01-07 01:45": 6}),
    ],
)
def test_cases_from_the_field_are_read(case: str, window: str, rows: int, known: dict[str, int]) -> None:
    windows = posts_by_window(CASES / case, window)
    assert len(windows) == rows and known.items() <= windows.items()
