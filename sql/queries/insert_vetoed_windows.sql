-- Notes closed windows that were kept back; the first verdict stands.
INSERT INTO vetoed_windows (
    keyword, window_start, reason, posts, distinct_authors, expected, score, top_post_id, posts60, distinct_authors60
) VALUES %s
ON CONFLICT (window_start, keyword) DO NOTHING
