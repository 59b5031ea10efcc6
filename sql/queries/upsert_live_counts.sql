-- Keeps counts of windows that are still open.
INSERT INTO live_counts (
    window_start, keyword, posts, authors_bitmap, texts_bitmap, first_post_at, first_post_id, latest_post_id, top_post_id, top_likes
) VALUES %s
ON CONFLICT (window_start, keyword) DO UPDATE SET
    posts = excluded.posts,
    authors_bitmap = excluded.authors_bitmap,
    texts_bitmap = excluded.texts_bitmap,
    first_post_at = excluded.first_post_at,
    first_post_id = excluded.first_post_id,
    latest_post_id = excluded.latest_post_id,
    top_post_id = excluded.top_post_id,
    top_likes = excluded.top_likes
