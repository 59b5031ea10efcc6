"""Print what is found, and falsely, in streams of which one word makes a large share."""

from dataclasses import dataclass

from rich.table import Table

from benchmarks.accuracy.share import Rise, Stream, count_false_alerts, find_rise, learn_streams, steady_days
from benchmarks.accuracy.tables import as_minutes, new_console, new_table
from detection.score import rule_for

VOLUMES = (5_000, 24_000, 100_000, 500_000)
"""Posts a day."""
SHARES = (0.01, 0.1, 0.33, 0.5, 0.8, 1.0)
DISPERSIONS = (0.0, 0.1)
RISES = (3.0, 5.0, 20.0)
NEIGHBOUR_RISE = 12.0
_WATCHED, _DISCOVERY = rule_for(4.5, 10), rule_for(6.0, 10)


@dataclass
class _FalseAlerts:
    """False alerts of heavy words and of others by steady day, summed over the streams of a share."""

    heavy: dict[str, int]
    others: dict[str, int]

    @classmethod
    def none(cls) -> "_FalseAlerts":
        return cls(dict.fromkeys(steady_days(), 0), dict.fromkeys(steady_days(), 0))

    def add(self, counted: dict[str, tuple[int, int]]) -> None:
        for name, (heavy, others) in counted.items():
            self.heavy[name] += heavy
            self.others[name] += others


def show_share(seeds: int, seed: int) -> None:
    """Print what is found of a heavy word's rise and of a word beside it, and the false alerts."""
    console = new_console()
    false_alerts = {share: _FalseAlerts.none() for share in SHARES}
    for dispersion in DISPERSIONS:
        table = _rises_table(dispersion, seeds)
        for share in SHARES:
            for volume in VOLUMES:
                stream = Stream(volume, share, dispersion)
                with console.status(str(stream)):
                    table.add_row(*_rises(stream, seeds, seed, false_alerts[share]))
        console.print(table)
    console.print(_false_alerts_table(false_alerts, seeds))


def _rises_table(dispersion: float, seeds: int) -> Table:
    return new_table(
        f"A word with a share of all posts rises for an hour, dispersion {dispersion:g}, {seeds} seeds",
        "share",
        "posts a day",
        *(f"{rise:g} times" for rise in RISES),
        "minutes",
        "T = 6",
        "totals unknown",
        "beside it 12 times",
        "minutes",
        "generic words",
    )


def _rises(stream: Stream, seeds: int, seed: int, false_alerts: _FalseAlerts) -> list[str]:
    """Measure one row: the rises at T = 4.5, the largest at T = 6 and without totals, and a neighbour."""
    histories = learn_streams(stream, seeds, seed)
    largest = Rise(RISES[-1])
    risen = [find_rise(histories, Rise(rise), _WATCHED, seed) for rise in RISES]
    discovery = find_rise(histories, largest, _DISCOVERY, seed)
    unknown = find_rise(histories, largest, _WATCHED, seed, totals=False)
    beside = find_rise(histories, Rise(RISES[-1], NEIGHBOUR_RISE), _WATCHED, seed)
    false_alerts.add(count_false_alerts(histories, _WATCHED, seed))
    return [
        f"{stream.share:g}",
        f"{stream.posts_a_day:,}",
        *(f"{found.heavy:.2f}" for found in risen),
        as_minutes(risen[-1].heavy_minutes),
        f"{discovery.heavy:.2f}",
        f"{unknown.heavy:.2f}",
        f"{beside.neighbour:.2f}",
        as_minutes(beside.neighbour_minutes),
        f"{risen[-1].generic:.1f}",
    ]


def _false_alerts_table(false_alerts: dict[float, _FalseAlerts], seeds: int) -> Table:
    streams = seeds * len(VOLUMES) * len(DISPERSIONS)
    table = new_table(
        f"Anomalous windows while nothing takes off, T = 4.5, {streams} streams a share: heavy word + others",
        "day",
        *(f"share {share:g}" for share in false_alerts),
    )
    for name in steady_days():
        counted = (f"{alerts.heavy[name]} + {alerts.others[name]}" for alerts in false_alerts.values())
        table.add_row(name, *counted)
    return table
