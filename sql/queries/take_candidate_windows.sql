-- Replace the candidates of %(day)s with the staged ones, and delete those older than %(oldest)s.
DELETE FROM candidate_windows WHERE day = %(day)s OR day < %(oldest)s;
INSERT INTO candidate_windows (
    day, keyword, number, posts, expected, scale, hourly_posts, hourly_expected, hourly_spread, authors, hourly_authors
)
SELECT day, keyword, number, posts, expected, scale, hourly_posts, hourly_expected, hourly_spread, authors, hourly_authors
FROM staging.candidate_windows
