-- The baselines of %(keywords)s learned up to the end of %(as_of)s; no row for one that was not seen.
SELECT
    keyword, level::float8, hour_deviation::float8[], variance::float8, dispersion::float8, hourly_spread::float8
FROM keyword_statistics
WHERE as_of = %(as_of)s AND keyword = ANY (%(keywords)s)
