-- Writes windows of incidents as they are now.
INSERT INTO alert_windows (
    alert_id, window_start, posts, total_posts, ratio, expected, scale, score, statistics_as_of, closed, authors_bitmap,
    texts_bitmap, first_post_at, first_post_id, latest_post_id, top_post_id, top_likes
) VALUES %s
ON CONFLICT (alert_id, window_start) DO UPDATE SET
    posts = excluded.posts,
    total_posts = excluded.total_posts,
    ratio = excluded.ratio,
    expected = excluded.expected,
    scale = excluded.scale,
    score = excluded.score,
    statistics_as_of = excluded.statistics_as_of,
    closed = excluded.closed,
    authors_bitmap = excluded.authors_bitmap,
    texts_bitmap = excluded.texts_bitmap,
    first_post_at = excluded.first_post_at,
    first_post_id = excluded.first_post_id,
    latest_post_id = excluded.latest_post_id,
    top_post_id = excluded.top_post_id,
    top_likes = excluded.top_likes
