-- depends: 0039.open-alerts-with-counted-authors
-- Of several deliveries the one collected last is shown; the history of an author has the times of collection. Negative
-- counts, which a source writes when it overflows, become null.

ALTER TABLE posts ADD COLUMN collected_at timestamptz;
ALTER TABLE authors ADD COLUMN collected_at timestamptz;
ALTER TABLE music ADD COLUMN collected_at timestamptz;
ALTER TABLE challenges ADD COLUMN collected_at timestamptz;
ALTER TABLE post_challenges ADD COLUMN collected_at timestamptz;

UPDATE posts SET collected_at = last_seen,
    like_count = CASE WHEN like_count >= 0 THEN like_count END,
    share_count = CASE WHEN share_count >= 0 THEN share_count END,
    comment_count = CASE WHEN comment_count >= 0 THEN comment_count END,
    play_count = CASE WHEN play_count >= 0 THEN play_count END;
UPDATE authors SET collected_at = last_seen,
    following_count = CASE WHEN following_count >= 0 THEN following_count END,
    follower_count = CASE WHEN follower_count >= 0 THEN follower_count END,
    heart_count = CASE WHEN heart_count >= 0 THEN heart_count END,
    video_count = CASE WHEN video_count >= 0 THEN video_count END,
    like_count = CASE WHEN like_count >= 0 THEN like_count END;
UPDATE music SET collected_at = last_seen;
UPDATE challenges SET collected_at = last_seen;
UPDATE post_challenges SET collected_at = last_seen;
UPDATE post_stats SET
    like_count = CASE WHEN like_count >= 0 THEN like_count END,
    share_count = CASE WHEN share_count >= 0 THEN share_count END,
    comment_count = CASE WHEN comment_count >= 0 THEN comment_count END,
    play_count = CASE WHEN play_count >= 0 THEN play_count END
WHERE least(like_count, share_count, comment_count, play_count) < 0;
UPDATE author_stats SET
    following_count = CASE WHEN following_count >= 0 THEN following_count END,
    follower_count = CASE WHEN follower_count >= 0 THEN follower_count END,
    heart_count = CASE WHEN heart_count >= 0 THEN heart_count END,
    video_count = CASE WHEN video_count >= 0 THEN video_count END,
    like_count = CASE WHEN like_count >= 0 THEN like_count END
WHERE least(following_count, follower_count, heart_count, video_count, like_count) < 0;

ALTER TABLE posts ALTER COLUMN collected_at SET NOT NULL;
ALTER TABLE authors ALTER COLUMN collected_at SET NOT NULL;
ALTER TABLE music ALTER COLUMN collected_at SET NOT NULL;
ALTER TABLE challenges ALTER COLUMN collected_at SET NOT NULL;
ALTER TABLE post_challenges ALTER COLUMN collected_at SET NOT NULL;

ALTER TABLE author_stats RENAME COLUMN day TO post_day;
ALTER TABLE author_stats ADD COLUMN day date GENERATED ALWAYS AS ((seen_at AT TIME ZONE 'UTC')::date) STORED;

COMMENT ON TABLE posts IS 'One row per post, from the delivery that was collected last.';
COMMENT ON TABLE authors IS 'One row per author, from the delivery of a post of theirs that was collected last.';
COMMENT ON TABLE music IS 'One row per sound, from the delivery of a post with it that was collected last.';
COMMENT ON TABLE challenges IS 'One row per challenge (a hashtag with a page of its own), from the delivery of a post with it that was collected last.';
COMMENT ON TABLE post_challenges IS 'Which post takes part in which challenge, in any of its deliveries; in the one that posts shows if collected_at equals that of the post.';
COMMENT ON COLUMN posts.collected_at IS 'when the delivery that this row shows was collected (UTC): as its record says, else when it arrived; event time in rows of before this column';
COMMENT ON COLUMN authors.collected_at IS 'when the delivery that this row shows was collected (UTC): as its record says, else when it arrived; event time in rows of before this column';
COMMENT ON COLUMN music.collected_at IS 'when the delivery that this row shows was collected (UTC): as its record says, else when it arrived; event time in rows of before this column';
COMMENT ON COLUMN challenges.collected_at IS 'when the delivery that this row shows was collected (UTC): as its record says, else when it arrived; event time in rows of before this column';
COMMENT ON COLUMN post_challenges.collected_at IS 'when the last delivery that names both was collected (UTC); event time in rows of before this column';
COMMENT ON TABLE author_stats IS 'History of the counts of an author: of the posts of a day, the first delivery that has any, and each later one with a changed count, in the order in which they were collected. One partition per day of posts; GROUNDSWELL_HISTORY_KEEP_DAYS sets how many are kept.';
COMMENT ON COLUMN author_stats.post_day IS 'day of the post that it was delivered with (UTC date of event time), by which the table is partitioned';
COMMENT ON COLUMN author_stats.day IS 'day of seen_at (UTC date)';
COMMENT ON COLUMN author_stats.seen_at IS 'when the delivery was collected (UTC), as in authors.collected_at; event time in rows of before that column';
COMMENT ON COLUMN post_stats.seen_at IS 'event time of the delivery (time_stamp, UTC); of several at the same time, the one collected last';
