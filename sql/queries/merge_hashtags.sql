-- Merge the hashtags of staging.post_hashtags into hashtags: the time span widens and the first post is that of the
-- earliest delivery, so days can be loaded again and in any order. Rows that would not change are not written.
MERGE INTO hashtags AS kept
USING (
    SELECT hashtag, min(hashtag_id) AS hashtag_id, (array_agg(post_id ORDER BY seen_at, post_id))[1] AS first_post_id,
           min(seen_at) AS first_seen, max(seen_at) AS last_seen
    FROM staging.post_hashtags
    GROUP BY hashtag
) AS new ON kept.hashtag = new.hashtag
WHEN MATCHED
    AND ((new.first_seen, new.first_post_id) < (kept.first_seen, kept.first_post_id)
        OR new.last_seen > kept.last_seen
        OR least(kept.hashtag_id, new.hashtag_id) IS DISTINCT FROM kept.hashtag_id)
THEN UPDATE SET
    hashtag_id = least(kept.hashtag_id, new.hashtag_id),
    first_post_id = CASE WHEN (new.first_seen, new.first_post_id) < (kept.first_seen, kept.first_post_id)
                         THEN new.first_post_id ELSE kept.first_post_id END,
    first_seen = least(kept.first_seen, new.first_seen),
    last_seen = greatest(kept.last_seen, new.last_seen)
WHEN NOT MATCHED
THEN INSERT (hashtag, hashtag_id, first_post_id, first_seen, last_seen)
VALUES (new.hashtag, new.hashtag_id, new.first_post_id, new.first_seen, new.last_seen)
