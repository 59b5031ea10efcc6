"""Compare the alerts of the stream with those of a replay: pair them, report and save the differences."""

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
"""Differences that are printed; the file has all of them."""


class Change(StrEnum):
    """How a replayed alert differs from that of the stream."""

    SAME = "same"
    EARLIER = "earlier"
    LATER = "later"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Pair:
    """An alert of the stream and its counterpart in the replay, or either without a counterpart."""

    live: AlertSummary | None
    replayed: AlertSummary | None

    @property
    def either(self) -> AlertSummary:
        """The replayed alert, or the live one if there is no replayed one."""
        one = self.replayed or self.live
        assert one is not None
        return one

    @property
    def windows_later(self) -> int | None:
        """Windows by which the replayed alert opens later (negative: earlier); None without a counterpart."""
        return self.replayed.opened - self.live.opened if self.live and self.replayed else None

    @property
    def has_other_figures(self) -> bool:
        """Whether both open in the same window but differ in last window, posts or peak score."""
        if self.live is None or self.replayed is None or self.change != Change.SAME:
            return False
        return self.live.figures != self.replayed.figures

    @property
    def change(self) -> Change:
        """How the replayed alert differs."""
        if self.live is None or self.replayed is None:
            return Change.NEW if self.live is None else Change.GONE
        later = self.replayed.opened - self.live.opened
        return Change.SAME if later == 0 else Change.LATER if later > 0 else Change.EARLIER


def pair_alerts(live: Sequence[AlertSummary], replayed: Sequence[AlertSummary]) -> list[Pair]:
    """Return pairs of alerts of the same keyword, ordered by window and keyword.

    Alerts that open in the same window are paired first, then those that overlap, in order; the rest have no
    counterpart. Each alert is paired once: if a replayed alert spans two live ones, the second of them is
    gone.

    >>> early, late = AlertSummary("cola", 10, 14, 50, 7.0), AlertSummary("cola", 12, 14, 40, 7.0)
    >>> [(pair.change.value, pair.windows_later) for pair in pair_alerts([late], [early])]
    [('earlier', -2)]
    """
    pairs: list[Pair] = []
    by_keyword: dict[str, tuple[list[AlertSummary], list[AlertSummary]]] = defaultdict(lambda: ([], []))
    for side, alerts in enumerate((live, replayed)):
        for alert in sorted(alerts, key=lambda alert: alert.opened):
            by_keyword[alert.keyword][side].append(alert)
    for unpaired_live, unpaired_replayed in by_keyword.values():
        pairs += _take_pairs(unpaired_live, unpaired_replayed, same_window=True)
        pairs += _take_pairs(unpaired_live, unpaired_replayed, same_window=False)
        pairs += [Pair(alert, None) for alert in unpaired_live]
        pairs += [Pair(None, alert) for alert in unpaired_replayed]
    return sorted(pairs, key=lambda pair: (pair.either.opened, pair.either.keyword))


def _take_pairs(
    live: list[AlertSummary], replayed: list[AlertSummary], *, same_window: bool
) -> Iterator[Pair]:
    """Remove pairs from both lists and yield them."""
    for alert in list(live):
        for other in replayed:
            overlap = alert.opened <= other.last and other.opened <= alert.last
            if alert.opened == other.opened or (overlap and not same_window):
                live.remove(alert)
                replayed.remove(other)
                yield Pair(alert, other)
                break


def describe(pairs: Sequence[Pair], days: int) -> Iterator[str]:
    """Yield the lines that report the pairs of `days` days."""
    live, replayed = ([pair for pair in pairs if getattr(pair, side)] for side in ("live", "replayed"))
    count = {change: sum(pair.change == change for pair in pairs) for change in Change}
    other = sum(pair.has_other_figures for pair in pairs)
    yield f"live      {len(live):>7,} alerts, {len(live) / days:,.1f} a day"
    yield f"replayed  {len(replayed):>7,} alerts, {len(replayed) / days:,.1f} a day"
    changes = ", ".join(f"{number:,} {change}" for change, number in count.items())
    yield f"{changes}; {other:,} of the same with other figures" if other else changes
    yield from _describe_labels(pairs)
    differing = [pair for pair in pairs if pair.change != Change.SAME]
    for pair in differing[:LISTED]:
        yield _describe_pair(pair)
    if len(differing) > LISTED:
        yield f"and {len(differing) - LISTED:,} more"


def _describe_labels(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield precision and recall by the labels of live alerts; new alerts have none and count in neither."""
    labelled = [pair for pair in pairs if pair.live and pair.live.label]
    if not labelled:
        yield "no alert of these days is labelled, so precision and recall are unknown"
        return
    found = [pair for pair in labelled if pair.replayed]
    real, real_found = (
        sum(pair.live.label == Label.REAL for pair in some if pair.live) for some in (labelled, found)
    )
    yield (
        f"precision {_share(real_found, len(found))} of the labelled alerts that are found, "
        f"live {_share(real, len(labelled))}; recall {_share(real_found, real)} of those labelled real"
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
    """Write one row per pair with `COLUMNS`, empty for a missing side; raises BadInputError if it cannot."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for pair in pairs:
                writer.writerow(_row(pair))
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error}. Give another path.") from error


def _row(pair: Pair) -> tuple[object, ...]:
    live = pair.live
    label, alert_id = (live.label, live.alert_id) if live else (None, None)
    first_cells = pair.change, pair.either.keyword, pair.windows_later, label, alert_id
    return *first_cells, *_cells(live), *_cells(pair.replayed)


def _cells(alert: AlertSummary | None) -> tuple[object, ...]:
    if alert is None:
        return (None,) * 4
    return (
        *(f"{window_start(number):%Y-%m-%dT%H:%M:%SZ}" for number in (alert.opened, alert.last)),
        alert.posts,
        alert.peak_score,
    )
