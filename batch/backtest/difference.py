"""The difference between the alerts of the stream and those of a replay: which are the same, and what that says in figures."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from batch.backtest.alerts import AlertSummary
from core.errors import BadInputError
from core.windows import window_start
from detection.labels import Label

COLUMNS = (
    "change",
    "keyword",
    "windows_later",
    "label",
    "alert_id",
    "live_opened_window",
    "live_last_window",
    "live_posts",
    "live_peak_score",
    "opened_window",
    "last_window",
    "posts",
    "peak_score",
)
LISTED = 20
"""Differences that are printed; all are in the file."""


class Change(StrEnum):
    """What became of an alert."""

    SAME = "same"
    EARLIER = "earlier"
    LATER = "later"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Pair:
    """An alert of the stream and the replayed one that is about the same, or one of them alone."""

    live: AlertSummary | None
    replayed: AlertSummary | None

    @property
    def either(self) -> AlertSummary:
        """The replayed alert, or the live one where it is gone."""
        one = self.replayed or self.live
        assert one is not None
        return one

    @property
    def windows_later(self) -> int | None:
        """By how many windows the replayed alert opens later, negative: earlier; None where there is only one."""
        return self.replayed.opened - self.live.opened if self.live and self.replayed else None

    @property
    def change(self) -> Change:
        """What became of the alert."""
        if self.live is None or self.replayed is None:
            return Change.NEW if self.live is None else Change.GONE
        later = self.replayed.opened - self.live.opened
        return Change.SAME if later == 0 else Change.LATER if later > 0 else Change.EARLIER


def pair_alerts(live: Sequence[AlertSummary], replayed: Sequence[AlertSummary]) -> list[Pair]:
    """Pairs of one keyword each: alerts that open in one window, then those whose times overlap, in order; then what is left.

    One alert is paired once: where a replayed alert goes on through two live ones, the second of them is gone.

    >>> early, late = AlertSummary("cola", 10, 14, 50, 7.0), AlertSummary("cola", 12, 14, 40, 7.0)
    >>> [(pair.change.value, pair.windows_later) for pair in pair_alerts([late], [early])]
    [('earlier', -2)]
    """
    pairs: list[Pair] = []
    by_keyword: dict[str, tuple[list[AlertSummary], list[AlertSummary]]] = defaultdict(lambda: ([], []))
    for side, alerts in enumerate((live, replayed)):
        for alert in sorted(alerts, key=lambda alert: alert.opened):
            by_keyword[alert.keyword][side].append(alert)
    for ours, theirs in by_keyword.values():
        pairs += _take_pairs(ours, theirs, same_window=True)
        pairs += _take_pairs(ours, theirs, same_window=False)
        pairs += [Pair(alert, None) for alert in ours] + [Pair(None, alert) for alert in theirs]
    return sorted(pairs, key=lambda pair: (pair.either.opened, pair.either.keyword))


def _take_pairs(
    live: list[AlertSummary], replayed: list[AlertSummary], *, same_window: bool
) -> Iterator[Pair]:
    """Take pairs out of both lists."""
    for alert in list(live):
        for other in replayed:
            if (
                alert.opened == other.opened
                if same_window
                else alert.opened <= other.last and other.opened <= alert.last
            ):
                live.remove(alert)
                replayed.remove(other)
                yield Pair(alert, other)
                break


def describe(pairs: Sequence[Pair], days: int) -> Iterator[str]:
    """What the pairs of so many days say, line by line, for people."""
    live, replayed = ([pair for pair in pairs if getattr(pair, side)] for side in ("live", "replayed"))
    count = {change: sum(pair.change == change for pair in pairs) for change in Change}
    other = sum(pair.change == Change.SAME and pair.live.figures != pair.replayed.figures for pair in pairs)  # type: ignore[union-attr]
    yield f"live      {len(live):>7,} alerts, {len(live) / days:,.1f} a day"
    yield f"replayed  {len(replayed):>7,} alerts, {len(replayed) / days:,.1f} a day"
    yield ", ".join(f"{number:,} {change}" for change, number in count.items()) + (
        f"; {other:,} of the same with other figures" * bool(other)
    )
    yield from _describe_labels(pairs)
    differing = [pair for pair in pairs if pair.change != Change.SAME]
    for pair in differing[:LISTED]:
        yield _describe_pair(pair)
    if len(differing) > LISTED:
        yield f"and {len(differing) - LISTED:,} more"


def _describe_labels(pairs: Sequence[Pair]) -> Iterator[str]:
    """Precision and recall by the labels of live alerts; new alerts have no label yet and count in neither."""
    labelled = [pair for pair in pairs if pair.live and pair.live.label]
    if not labelled:
        yield "no alert of these days is labelled: no precision, no recall"
        return
    found = [pair for pair in labelled if pair.replayed]
    real, real_found = (
        sum(pair.live.label == Label.REAL for pair in some if pair.live) for some in (labelled, found)
    )
    yield (
        f"precision {_share(real_found, len(found))} of the labelled alerts that are found, live {_share(real, len(labelled))}; "
        f"recall {_share(real_found, real)} of those labelled real"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f} ({part} of {whole})" if whole else "unknown (none)"


def _describe_pair(pair: Pair) -> str:
    alert, shift = pair.either, pair.windows_later
    how = f"{pair.change} by {abs(shift)}" if shift else str(pair.change)
    label = f", labelled {pair.live.label}" if pair.live and pair.live.label else ""
    opened = f"{window_start(alert.opened):%Y-%m-%d %H:%M}"
    return (
        f"  {how:<12}  {opened}  {alert.keyword}: {alert.posts:,} posts, score {alert.peak_score:.1f}{label}"
    )


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write a row a pair, with `COLUMNS`; what a side lacks is empty. Raises BadInputError."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for pair in pairs:
                live = pair.live
                told = (live.label, live.alert_id) if live else (None, None)
                writer.writerow(
                    [
                        pair.change,
                        pair.either.keyword,
                        pair.windows_later,
                        *told,
                        *_cells(live),
                        *_cells(pair.replayed),
                    ]
                )
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error}. Give another path.") from error


def _cells(alert: AlertSummary | None) -> tuple[object, ...]:
    if alert is None:
        return (None,) * 4
    return (
        *(f"{window_start(number):%Y-%m-%dT%H:%M:%SZ}" for number in (alert.opened, alert.last)),
        alert.posts,
        alert.peak_score,
    )
