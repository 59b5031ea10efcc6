-- Upsert the current windows of alerts.
INSERT INTO alert_windows (
    alert_id, window_start, closed, posts, total_posts, ratio, expected, scale, score, hourly_posts, hourly_expected, hourly_spread,
    hourly_score, threshold, threshold_ratio, statistics_as_of, authors_bitmap, hourly_authors_bitmap, texts_bitmap, first_post_at,
    first_post_id, latest_post_id, top_post_id, top_likes, past_posts, past_total_posts, past_since, moved_hours
) VALUES %s
ON CONFLICT (alert_id, window_start) DO UPDATE SET
    closed = excluded.closed,
    posts = excluded.posts,
    total_posts = excluded.total_posts,
    ratio = excluded.ratio,
    expected = excluded.expected,
    scale = excluded.scale,
    score = excluded.score,
    hourly_posts = excluded.hourly_posts,
    hourly_expected = excluded.hourly_expected,
    hourly_spread = excluded.hourly_spread,
    hourly_score = excluded.hourly_score,
    threshold = excluded.threshold,
    threshold_ratio = excluded.threshold_ratio,
    statistics_as_of = excluded.statistics_as_of,
    authors_bitmap = excluded.authors_bitmap,
    hourly_authors_bitmap = excluded.hourly_authors_bitmap,
    texts_bitmap = excluded.texts_bitmap,
    first_post_at = excluded.first_post_at,
    first_post_id = excluded.first_post_id,
    latest_post_id = excluded.latest_post_id,
    top_post_id = excluded.top_post_id,
    top_likes = excluded.top_likes,
    past_posts = excluded.past_posts,
    past_total_posts = excluded.past_total_posts,
    past_since = excluded.past_since,
    moved_hours = excluded.moved_hours
