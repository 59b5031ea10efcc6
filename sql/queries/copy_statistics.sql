-- The rows of keyword_statistics as of a day, as CSV without a header.
COPY (
    SELECT keyword, level, hour_deviation, variance, dispersion, hourly_spread, last_seen
    FROM keyword_statistics
    WHERE as_of = %(as_of)s
) TO STDOUT (FORMAT csv)
