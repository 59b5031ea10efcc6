"""Whether rows are further apart than windows, as hourly counts are in windows of 15 minutes."""

import duckdb

from core.errors import BadInputError
from detection.seasonality import Seasonality, seasonality_for

_MOST = 0.8
"""Share of the steps from a window with rows to the next one that have to be equal; outages make others."""
_STEPS = """
    WITH steps AS (SELECT "window" - lag("window") OVER (ORDER BY "window") AS step FROM totals)
    SELECT mode(step), count(step), count(*) FILTER (step = (SELECT mode(step) FROM steps)) FROM steps
"""
_ORDINALS = {2: "second", 3: "third", 4: "fourth"}


def coarse_rows_hint(connection: duckdb.DuckDBPyConnection, seasonality: Seasonality) -> str | None:
    """Return a sentence if only every second or a rarer window has rows, with the window to give instead."""
    step, steps, equal = connection.execute(_STEPS).fetchall()[0]
    if steps < 2 or step == 1 or equal < _MOST * steps:
        return None
    window = _usable_window(step * seasonality.window_seconds)
    advice = f"--window {window}" if window else "counts of every window"
    return (
        f"Only every {_ORDINALS.get(step, f'{step}th')} window has rows, and the others count as empty: "
        f"bursts are missed. Give {advice}."
    )


def _usable_window(seconds: int) -> str | None:
    name = (
        "1d" if seconds == 86_400 else f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}m"
    )
    try:
        seasonality_for(name)
    except BadInputError:
        return None
    return name
