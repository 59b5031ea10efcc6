"""The stored baselines of keywords as arrays."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from psycopg2.extensions import cursor as Cursor

from detection.learn import KeywordRows, default_rows
from sql.connection import query
from sql.rows import fetch_dicts


def load_baselines(cursor: Cursor, keywords: Sequence[str], as_of: date | None) -> KeywordRows:
    """Return the baselines of K `keywords` learned up to the end of `as_of`, in their order.

    A keyword that was not seen has the default, and so have all of them if `as_of` is None.
    """
    rows = default_rows(len(keywords))
    if as_of is None or not keywords:
        return rows
    cursor.execute(query("statistics_of_keywords"), {"as_of": as_of, "keywords": list(keywords)})
    index = {keyword: number for number, keyword in enumerate(keywords)}
    for row in fetch_dicts(cursor):
        number = index[row["keyword"]]
        for name in ("level", "variance", "dispersion", "hourly_spread"):
            getattr(rows, name)[number] = row[name]
        if row["hour_deviation"] is not None:
            rows.hour_deviation[number] = np.array(row["hour_deviation"], dtype=float)
    return rows
