-- Move the counts of windows that start before %(before)s from live_counts to past_counts, by day; only those from %(first)s on are kept.
WITH moved AS (
    DELETE FROM live_counts WHERE window_start < %(before)s RETURNING keyword, window_start, posts
), forgotten AS (
    DELETE FROM past_counts WHERE day < (%(first)s::timestamptz AT TIME ZONE 'UTC')::date
)
INSERT INTO past_counts AS kept (day, keyword, posts, squared_posts)
SELECT (window_start AT TIME ZONE 'UTC')::date, keyword, sum(posts), sum(posts::double precision * posts)
FROM moved
WHERE window_start >= %(first)s
GROUP BY 1, 2
ORDER BY 1, 2
ON CONFLICT (day, keyword) DO UPDATE SET
    posts = kept.posts + excluded.posts,
    squared_posts = kept.squared_posts + excluded.squared_posts
