-- depends: 0005.vetoed
-- The second look, at the last hour: what it needs is kept, what it said is stored.

ALTER TABLE live_counts RENAME TO counts_before;
ALTER INDEX live_counts_pkey RENAME TO counts_before_pkey;
CREATE TABLE live_counts (
    keyword         text        NOT NULL,
    window_start    timestamptz NOT NULL,
    posts           integer     NOT NULL,
    authors_bitmap  bigint      NOT NULL,
    texts_bitmap    bigint      NOT NULL,
    first_post_at   timestamptz NOT NULL,
    first_post_id   bigint      NOT NULL,
    latest_post_id  bigint      NOT NULL,
    top_post_id     bigint      NOT NULL,
    top_likes       bigint      NOT NULL,
    PRIMARY KEY (keyword, window_start)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.5);
INSERT INTO live_counts
SELECT keyword, window_start, posts, authors_bitmap, texts_bitmap, first_post_at, first_post_id, latest_post_id, top_post_id, top_likes
FROM counts_before;
DROP TABLE counts_before;
CREATE INDEX live_counts_window ON live_counts (window_start);
COMMENT ON TABLE live_counts IS 'Counts of three posts and more in windows that are still open and in the three before them; emptied as windows close.';
COMMENT ON COLUMN live_counts.keyword IS 'the keyword';
COMMENT ON COLUMN live_counts.window_start IS 'start of the 15-minute window (event time, UTC)';
COMMENT ON COLUMN live_counts.posts IS 'distinct posts so far (posts)';
COMMENT ON COLUMN live_counts.authors_bitmap IS '64 bits, one set for each hashed author id';
COMMENT ON COLUMN live_counts.texts_bitmap IS '64 bits, one set for each hashed normalised text';
COMMENT ON COLUMN live_counts.first_post_at IS 'earliest event time (UTC)';
COMMENT ON COLUMN live_counts.first_post_id IS 'smallest post id';
COMMENT ON COLUMN live_counts.latest_post_id IS 'largest post id';
COMMENT ON COLUMN live_counts.top_post_id IS 'id of the most liked post';
COMMENT ON COLUMN live_counts.top_likes IS 'likes of that post (likes); -1: unknown';

CREATE VIEW live_hours AS
SELECT
    counts.*,
    counts.posts + coalesce(before.posts, 0)                   AS posts60,
    counts.authors_bitmap | coalesce(before.authors_bitmap, 0) AS authors60_bitmap
FROM live_counts AS counts
LEFT JOIN LATERAL (
    SELECT sum(earlier.posts)::integer AS posts, bit_or(earlier.authors_bitmap) AS authors_bitmap
    FROM live_counts AS earlier
    WHERE earlier.keyword = counts.keyword
      AND earlier.window_start >= counts.window_start - interval '45 minutes'
      AND earlier.window_start < counts.window_start
) AS before ON true;
COMMENT ON VIEW live_hours IS 'live_counts, each with the hour that ends with its window.';
COMMENT ON COLUMN live_hours.keyword IS 'the keyword';
COMMENT ON COLUMN live_hours.window_start IS 'start of the 15-minute window (event time, UTC)';
COMMENT ON COLUMN live_hours.posts IS 'distinct posts so far (posts)';
COMMENT ON COLUMN live_hours.authors_bitmap IS '64 bits, one set for each hashed author id';
COMMENT ON COLUMN live_hours.texts_bitmap IS '64 bits, one set for each hashed normalised text';
COMMENT ON COLUMN live_hours.first_post_at IS 'earliest event time (UTC)';
COMMENT ON COLUMN live_hours.first_post_id IS 'smallest post id';
COMMENT ON COLUMN live_hours.latest_post_id IS 'largest post id';
COMMENT ON COLUMN live_hours.top_post_id IS 'id of the most liked post';
COMMENT ON COLUMN live_hours.top_likes IS 'likes of that post (likes); -1: unknown';
COMMENT ON COLUMN live_hours.posts60 IS 'posts of this window and of the three before it, where those hold three or more (posts)';
COMMENT ON COLUMN live_hours.authors60_bitmap IS '64 bits, one set for each hashed author id of those posts';

ALTER TABLE alert_windows
    ADD COLUMN posts60 integer NOT NULL DEFAULT 0,
    ADD COLUMN expected60 real NOT NULL DEFAULT 0,
    ADD COLUMN spread60 real NOT NULL DEFAULT 1,
    ADD COLUMN score60 real NOT NULL DEFAULT 0,
    ADD COLUMN authors60_bitmap bigint NOT NULL DEFAULT 0,
    ADD COLUMN threshold real NOT NULL DEFAULT 6,
    ADD COLUMN strength real NOT NULL DEFAULT 0;
UPDATE alert_windows SET posts60 = posts, expected60 = expected, authors60_bitmap = authors_bitmap, strength = score / threshold;
ALTER TABLE alert_windows
    ALTER COLUMN posts60 DROP DEFAULT,
    ALTER COLUMN expected60 DROP DEFAULT,
    ALTER COLUMN spread60 DROP DEFAULT,
    ALTER COLUMN score60 DROP DEFAULT,
    ALTER COLUMN authors60_bitmap DROP DEFAULT,
    ALTER COLUMN threshold DROP DEFAULT,
    ALTER COLUMN strength DROP DEFAULT;
COMMENT ON TABLE alert_windows IS 'One row a window that keeps an incident going (strength at least a half), with the figures it was judged by.';
COMMENT ON COLUMN alert_windows.posts60 IS 'posts of this window and of the three before it, where those hold three or more (posts)';
COMMENT ON COLUMN alert_windows.expected60 IS 'posts with the keyword that were expected in those four windows (posts)';
COMMENT ON COLUMN alert_windows.spread60 IS 'how much wider the residual of an hour usually is than that of a window (ratio of variances)';
COMMENT ON COLUMN alert_windows.score60 IS '(2*sqrt(posts60 + .375) - 2*sqrt(expected60 + .375)) / (scale * max(1, sqrt(spread60)))';
COMMENT ON COLUMN alert_windows.authors60_bitmap IS '64 bits, one set for each hashed author id of posts60';
COMMENT ON COLUMN alert_windows.threshold IS 'score from which the window would alarm; the second look asks for 5.5 at 4.5 and 6.5 at 6, on the line through both';
COMMENT ON COLUMN alert_windows.strength IS 'how far the scores reach to their thresholds: the larger of score/threshold and score60/threshold60';

ALTER TABLE anomaly_alerts ADD COLUMN strength real NOT NULL DEFAULT 1;
UPDATE anomaly_alerts SET strength = peak_score / 6;
ALTER TABLE anomaly_alerts ALTER COLUMN strength DROP DEFAULT;
ALTER TABLE anomaly_alerts ADD COLUMN opened_by text NOT NULL DEFAULT 'window' CHECK (opened_by IN ('window', 'hour'));
ALTER TABLE anomaly_alerts ALTER COLUMN opened_by DROP DEFAULT;
COMMENT ON COLUMN anomaly_alerts.strength IS 'highest strength of its windows: 1 is just an alarm';
COMMENT ON COLUMN anomaly_alerts.severity IS 'notable: strength below 2; strong: below 4; extreme: above';
COMMENT ON COLUMN anomaly_alerts.opened_by IS 'window: one window was an anomaly; hour: only the hour that ended with it was, a slow climb';

ALTER TABLE vetoed_windows ADD COLUMN posts60 integer NOT NULL DEFAULT 0, ADD COLUMN distinct_authors60 real NOT NULL DEFAULT 0;
ALTER TABLE vetoed_windows ALTER COLUMN posts60 DROP DEFAULT, ALTER COLUMN distinct_authors60 DROP DEFAULT;
COMMENT ON COLUMN vetoed_windows.posts60 IS 'posts of the hour that ends with the window (posts)';
COMMENT ON COLUMN vetoed_windows.distinct_authors60 IS 'estimated distinct authors of those posts (authors)';

ALTER TABLE anomaly_alerts ADD COLUMN origin text CHECK (origin IN ('organic', 'few authors', 'one text'));
COMMENT ON COLUMN anomaly_alerts.origin IS 'who posted in its window of the highest score: organic; few authors: distinct authors are less than a fifth of what more posts than expected would have; one text: the same of distinct texts; null: too few posts (50) or too frequent a word (100 expected) to tell';
