-- Writes windows of incidents as they are now.
INSERT INTO alert_windows (
    alert_id, window_start, closed, posts, total_posts, ratio, expected, scale, score, posts60, expected60, spread60,
    score60, threshold, strength, statistics_as_of, authors_bitmap, authors60_bitmap, texts_bitmap, first_post_at,
    first_post_id, latest_post_id, top_post_id, top_likes
) VALUES %s
ON CONFLICT (alert_id, window_start) DO UPDATE SET
    closed = excluded.closed,
    posts = excluded.posts,
    total_posts = excluded.total_posts,
    ratio = excluded.ratio,
    expected = excluded.expected,
    scale = excluded.scale,
    score = excluded.score,
    posts60 = excluded.posts60,
    expected60 = excluded.expected60,
    spread60 = excluded.spread60,
    score60 = excluded.score60,
    threshold = excluded.threshold,
    strength = excluded.strength,
    statistics_as_of = excluded.statistics_as_of,
    authors_bitmap = excluded.authors_bitmap,
    authors60_bitmap = excluded.authors60_bitmap,
    texts_bitmap = excluded.texts_bitmap,
    first_post_at = excluded.first_post_at,
    first_post_id = excluded.first_post_id,
    latest_post_id = excluded.latest_post_id,
    top_post_id = excluded.top_post_id,
    top_likes = excluded.top_likes
