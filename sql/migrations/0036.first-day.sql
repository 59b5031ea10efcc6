-- depends: 0035.comments
-- What windows without statistics are judged by: the windows of the same day and the day before.

CREATE TABLE past_counts (
    day     date    NOT NULL,
    keyword text    NOT NULL,
    posts   bigint  NOT NULL,
    PRIMARY KEY (day, keyword)
);
COMMENT ON TABLE past_counts IS 'Posts per keyword in the closed windows of a day and the day before, as far as they have left live_counts; empty once statistics cover every hour.';
COMMENT ON COLUMN past_counts.day IS 'day of the windows (UTC)';
COMMENT ON COLUMN past_counts.keyword IS 'the keyword';
COMMENT ON COLUMN past_counts.posts IS 'distinct posts in windows with three or more of them (posts)';

ALTER TABLE traffic_windows ADD COLUMN before_restart boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN traffic_windows.before_restart IS 'whether detection has since started afresh, so that the window is no past of later ones';

ALTER TABLE alert_windows
    ADD COLUMN past_posts bigint,
    ADD COLUMN past_total_posts bigint,
    ADD COLUMN past_since timestamptz;
COMMENT ON COLUMN alert_windows.past_posts IS 'on a first day: posts of the keyword in the earlier windows that it was compared with (posts); null if judged by statistics';
COMMENT ON COLUMN alert_windows.past_total_posts IS 'on a first day: posts of all keywords in those windows (posts)';
COMMENT ON COLUMN alert_windows.past_since IS 'on a first day: start of the first of those windows (event time, UTC)';
COMMENT ON COLUMN alert_windows.ratio IS 'posts so far over the posts expected in the whole window, without those of a dominant keyword beyond its expected posts; on a first day over past_total_posts';

ALTER TABLE anomaly_alerts
    ADD COLUMN judged_by text NOT NULL
        GENERATED ALWAYS AS (CASE WHEN statistics_as_of IS NULL THEN 'first day' ELSE 'daily statistics' END) STORED;
COMMENT ON COLUMN anomaly_alerts.judged_by IS 'what its first window was judged by: daily statistics, or on a first day the windows before it';

CREATE OR REPLACE VIEW live_hours AS
SELECT
    counts.*,
    counts.posts + before.posts_1 + before.posts_2 + before.posts_3 AS hourly_posts,
    counts.authors_bitmap | coalesce(before.authors_bitmap, 0)      AS hourly_authors_bitmap,
    ARRAY[before.posts_1, before.posts_2, before.posts_3]           AS posts_before
FROM live_counts AS counts
LEFT JOIN LATERAL (
    SELECT coalesce(sum(earlier.posts) FILTER (WHERE earlier.window_start = counts.window_start - interval '15 minutes'), 0)::integer AS posts_1,
           coalesce(sum(earlier.posts) FILTER (WHERE earlier.window_start = counts.window_start - interval '30 minutes'), 0)::integer AS posts_2,
           coalesce(sum(earlier.posts) FILTER (WHERE earlier.window_start = counts.window_start - interval '45 minutes'), 0)::integer AS posts_3,
           bit_or(earlier.authors_bitmap) AS authors_bitmap
    FROM live_counts AS earlier
    WHERE earlier.keyword = counts.keyword
      AND earlier.window_start >= counts.window_start - interval '45 minutes'
      AND earlier.window_start < counts.window_start
) AS before ON true;
COMMENT ON COLUMN live_hours.posts_before IS 'posts in the three windows before, newest first, those with fewer than three counting as none (posts)';

CREATE VIEW detection_baseline AS
WITH newest AS (
    SELECT max_event_time AS at, (max_event_time AT TIME ZONE 'UTC')::date AS day FROM detect_clock
), learned AS (
    SELECT newest.at, newest.day, max(traffic.as_of) AS as_of,
           bool_or(traffic.expected_posts > 0 AND traffic.hour = extract(hour FROM newest.at AT TIME ZONE 'UTC')) AS covers_hour
    FROM newest
    LEFT JOIN traffic_statistics AS traffic
        ON traffic.as_of = (SELECT max(as_of) FROM traffic_statistics WHERE as_of < newest.day)
    GROUP BY newest.at, newest.day
), past AS (
    SELECT min(window_start) AS since
    FROM traffic_windows, newest
    WHERE posts > 0 AND NOT before_restart AND window_start >= (newest.day - 1)::timestamp AT TIME ZONE 'UTC' AND window_start <= newest.at
)
SELECT
    CASE WHEN learned.as_of IS NOT NULL AND (covers_hour OR learned.at < past.since + interval '45 minutes') THEN 'daily statistics'
         WHEN learned.at < past.since + interval '45 minutes' THEN 'learning'
         ELSE 'first day' END AS judged_by,
    learned.as_of,
    past.since,
    least(extract(epoch FROM learned.at - past.since) / 60, 45)::integer AS learned_minutes
FROM learned, past
WHERE past.since IS NOT NULL;
COMMENT ON VIEW detection_baseline IS 'What the stream judges its newest window by; no row before the first post.';
COMMENT ON COLUMN detection_baseline.judged_by IS 'learning: nothing is judged yet; first day: the windows since `since`; daily statistics: those of as_of';
COMMENT ON COLUMN detection_baseline.as_of IS 'newest statistics from before the day; null if there are none';
COMMENT ON COLUMN detection_baseline.since IS 'start of the first window of the same day and the day before (event time, UTC)';
COMMENT ON COLUMN detection_baseline.learned_minutes IS 'minutes of event time since then, at most 45, after which windows are judged without statistics (minutes)';
