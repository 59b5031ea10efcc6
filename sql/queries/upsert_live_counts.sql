-- Upsert the counts of a batch from the temporary table batch_counts; they are totals, so a repeat changes nothing.
INSERT INTO live_counts AS kept (
    keyword, window_start, posts, authors_bitmap, texts_bitmap, first_post_at, first_post_id, latest_post_id, top_post_id, top_likes
)
SELECT keyword, window_start, posts, authors_bitmap, texts_bitmap, first_post_at, first_post_id, latest_post_id, top_post_id, top_likes
FROM batch_counts
ON CONFLICT (keyword, window_start) DO UPDATE SET
    posts = excluded.posts,
    authors_bitmap = excluded.authors_bitmap,
    texts_bitmap = excluded.texts_bitmap,
    first_post_at = excluded.first_post_at,
    first_post_id = excluded.first_post_id,
    latest_post_id = excluded.latest_post_id,
    top_post_id = excluded.top_post_id,
    top_likes = excluded.top_likes
