-- The baseline of %(keyword)s learned up to the end of %(as_of)s; no row if it was not seen.
SELECT level::float8, hour_deviation::float8[], variance::float8, dispersion::float8, hourly_spread::float8
FROM keyword_statistics
WHERE as_of = %(as_of)s AND keyword = %(keyword)s
