"""The forms in which a column may write its times, as SQL for DuckDB: one form for the whole column.

A number may be a day, an hour, a second or a day of a spreadsheet, so a form is chosen by the first rows
together and then holds for all: a value of another form is an error, not a time in 1970 or 2034.
"""

from dataclasses import dataclass

SAMPLE_ROWS = 10_000
"""Rows by which the form of a column is chosen."""
_DAY = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_TIME = r"[T ]\d{1,2}:\d{2}(:\d{2}([.]\d+)?)?"
_UTC, _OFFSET = r" ?(Z|z|UTC|GMT)", r" ?[+-]\d{2}(:?\d{2})?"


@dataclass(frozen=True, slots=True)
class TimeForm:
    """One way to write a time; both expressions are of the column `time_text`, NULL for any other text."""

    name: str
    """What the form is, for messages."""
    seconds: str
    """SQL: seconds since 1970 in UTC."""
    local_seconds: str
    """SQL: the same of the day and time as they are written, without their offset."""


def _iso(name: str, pattern: str) -> TimeForm:
    """Return a form of ISO 8601; DuckDB parses an offset only right after the seconds, and no `z`."""
    with_seconds = r"regexp_replace(time_text, '([T ]\d{1,2}:\d{2})( ?[A-Za-z+-].*)?$', '\1:00\2')"
    moment = rf"regexp_replace({with_seconds}, ' ?(z|UTC|GMT|Z)$| ([+-][0-9:]+)$', '\2')"
    return TimeForm(
        name,
        seconds=f"CASE WHEN regexp_full_match(time_text, '{pattern}') "
        f"THEN epoch(try_cast({moment} AS TIMESTAMPTZ)) END",
        local_seconds=f"epoch(try_cast({moment} AS TIMESTAMP))",
    )


def _one(name: str, pattern: str, seconds: str) -> TimeForm:
    expression = f"CASE WHEN regexp_full_match(time_text, '{pattern}') THEN {seconds} END"
    return TimeForm(name, expression, expression)


def _calendar(name: str, digits: int, format_: str) -> TimeForm:
    """Return a form of `digits` digits from the year on; as a float it has a fraction of zeros."""
    rest = digits - 4
    pattern = rf"(19[7-9]\d|20\d\d)\d{{{rest}}}([.]0+)?"
    return _one(name, pattern, f"epoch(try_strptime(left(time_text, {digits}), '{format_}'))")


def _epoch(name: str, digits: int, units: str) -> TimeForm:
    pattern = rf"[1-9]\d{{{digits - 1}}}([.]\d*)?"
    return _one(name, pattern, f"try_cast(time_text AS DOUBLE) / {units}")


FORMS = (
    _iso("ISO 8601 in UTC", f"{_DAY}({_TIME}({_UTC})?)?"),
    _iso("ISO 8601 with an offset", f"{_DAY}{_TIME}({_UTC}|{_OFFSET})"),
    _calendar("YYYYMMDD", 8, "%Y%m%d"),
    _calendar("YYYYMMDDHH", 10, "%Y%m%d%H"),
    _calendar("YYYYMMDDHHMM", 12, "%Y%m%d%H%M"),
    _calendar("YYYYMMDDHHMMSS", 14, "%Y%m%d%H%M%S"),
    _one(
        "YYYYMMDDTHHMMSSZ",
        r"\d{8}T\d{6}Z?",
        "epoch(try_strptime(left(time_text, 15), '%Y%m%dT%H%M%S'))",
    ),
    # Up to 2032: from 1970010100 on, ten digits are an hour.
    _one(
        "seconds since 1970",
        r"1([0-8]\d|9[0-6])\d{7}([.]\d*)?",
        "try_cast(time_text AS DOUBLE)",
    ),
    _epoch("milliseconds since 1970", 13, "1e3"),
    _epoch("microseconds since 1970", 16, "1e6"),
    _epoch("nanoseconds since 1970", 19, "1e9"),
    # 36526 is 2000-01-01 and 25569 is 1970-01-01, counted from 1899-12-30 as spreadsheets do.
    _one(
        "days of a spreadsheet",
        r"(3[6-9]|[4-6]\d|7[0-2])\d{3}([.]\d*)?",
        "round((try_cast(time_text AS DOUBLE) - 25569) * 86400)",
    ),
)
"""All forms; only the first two share texts, those that end in Z, which count as the first."""

_CHOICES = " ".join(f"WHEN {form.seconds} IS NOT NULL THEN {number}" for number, form in enumerate(FORMS))
MOST_COMMON_FORM = f"""
    SELECT form
    FROM (SELECT CASE {_CHOICES} ELSE {len(FORMS)} END AS form FROM sample)
    GROUP BY form ORDER BY form = {len(FORMS)}, count(*) DESC, form LIMIT 1
"""
"""SQL: the number in `FORMS` of the form that most texts of `sample` have; `len(FORMS)` if none has any."""


def possible_forms(number: int) -> tuple[TimeForm, ...]:
    """Return the forms that a column may have of which most times have the form `number`, likeliest first.

    UTC in winter may be an offset in summer.
    """
    return FORMS[:2] if number == 0 else FORMS[number : number + 1] or FORMS[:1]
