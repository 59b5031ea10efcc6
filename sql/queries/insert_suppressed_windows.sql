-- Insert closed windows that were suppressed; the first verdict is kept.
INSERT INTO suppressed_windows (
    keyword, window_start, reason, posts, distinct_authors, expected, score, top_post_id, hourly_posts, hourly_distinct_authors
) VALUES %s
ON CONFLICT (window_start, keyword) DO NOTHING
