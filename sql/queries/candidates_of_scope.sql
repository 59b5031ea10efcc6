-- Candidates up to %(day)s of watched keywords (%(watched)s true) or of all others, ordered by keyword and window.
SELECT keyword, number, posts, expected::float8, scale::float8, hourly_posts, hourly_expected::float8, hourly_spread::float8,
       authors::float8, hourly_authors::float8
FROM candidate_windows
WHERE day <= %(day)s AND (keyword IN (SELECT keyword FROM watchlist WHERE keyword IS NOT NULL)) = %(watched)s
ORDER BY keyword, number
