-- What the stream writes: alerts, their windows, live counts, traffic, its own progress, refused records.

CREATE TABLE anomaly_alerts (
    alert_id         uuid        PRIMARY KEY,
    keyword          text        NOT NULL CHECK (keyword <> ''),
    status           text        NOT NULL CHECK (status IN ('open', 'resolved', 'withdrawn')),
    provisional      boolean     NOT NULL,
    opened_window    timestamptz NOT NULL,
    last_window      timestamptz NOT NULL CHECK (last_window >= opened_window),
    resolved_at      timestamptz CHECK ((resolved_at IS NULL) = (status = 'open')),
    first_post_at    timestamptz,
    posts            bigint      NOT NULL CHECK (posts >= 0),
    expected         real        NOT NULL CHECK (expected >= 0),
    score            real        NOT NULL,
    peak_score       real        NOT NULL,
    severity         text        NOT NULL CHECK (severity IN ('notable', 'strong', 'extreme')),
    distinct_authors real        NOT NULL,
    distinct_texts   real        NOT NULL,
    first_post_id    bigint,
    latest_post_id   bigint,
    top_post_id      bigint,
    statistics_as_of date,
    rule_version     text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (keyword, opened_window)
);
CREATE INDEX anomaly_alerts_open ON anomaly_alerts (keyword) WHERE status = 'open';
CREATE INDEX anomaly_alerts_recent ON anomaly_alerts (opened_window DESC);
COMMENT ON TABLE anomaly_alerts IS 'One row an incident: a keyword that is posted far more often than its history says.';
COMMENT ON COLUMN anomaly_alerts.alert_id IS 'made from keyword and opened_window, so a replay gives the same id';
COMMENT ON COLUMN anomaly_alerts.keyword IS 'the keyword, as the keyword rule writes it';
COMMENT ON COLUMN anomaly_alerts.status IS 'open: going on; resolved: over; withdrawn: opened early and not confirmed when its first window closed';
COMMENT ON COLUMN anomaly_alerts.provisional IS 'true until the window that opened it is closed: it may still be withdrawn';
COMMENT ON COLUMN anomaly_alerts.opened_window IS 'start of the window that opened it (event time, UTC)';
COMMENT ON COLUMN anomaly_alerts.last_window IS 'start of the last window that was still unusual (event time, UTC)';
COMMENT ON COLUMN anomaly_alerts.resolved_at IS 'end of the window with which it was resolved or withdrawn (event time, UTC); null while open';
COMMENT ON COLUMN anomaly_alerts.first_post_at IS 'event time of the first post with the keyword in the opening window (UTC)';
COMMENT ON COLUMN anomaly_alerts.posts IS 'distinct posts with the keyword, summed over the windows of the incident (posts)';
COMMENT ON COLUMN anomaly_alerts.expected IS 'posts that were expected in the same windows (posts)';
COMMENT ON COLUMN anomaly_alerts.score IS 'score of the newest window (standard deviations of square-root posts)';
COMMENT ON COLUMN anomaly_alerts.peak_score IS 'highest score of its windows (standard deviations of square-root posts)';
COMMENT ON COLUMN anomaly_alerts.severity IS 'notable: below twice the threshold at its peak; strong: below four times; extreme: above';
COMMENT ON COLUMN anomaly_alerts.distinct_authors IS 'estimated number of distinct authors over the incident (authors); about 300 is the most that can be told';
COMMENT ON COLUMN anomaly_alerts.distinct_texts IS 'estimated number of distinct texts over the incident (texts); about 300 is the most that can be told';
COMMENT ON COLUMN anomaly_alerts.first_post_id IS 'id of the earliest post of the opening window';
COMMENT ON COLUMN anomaly_alerts.latest_post_id IS 'id of the newest post of the incident';
COMMENT ON COLUMN anomaly_alerts.top_post_id IS 'id of the most liked post of the incident';
COMMENT ON COLUMN anomaly_alerts.statistics_as_of IS 'as_of of the statistics that the opening window was judged by; null: there were none yet';
COMMENT ON COLUMN anomaly_alerts.rule_version IS 'versions of the keyword rule and of the score, e.g. keywords-1 score-1';
COMMENT ON COLUMN anomaly_alerts.created_at IS 'when the row was first written (wall clock)';
COMMENT ON COLUMN anomaly_alerts.updated_at IS 'when the row was last written (wall clock)';

CREATE TABLE alert_windows (
    alert_id         uuid        NOT NULL REFERENCES anomaly_alerts ON DELETE CASCADE,
    window_start     timestamptz NOT NULL,
    posts            integer     NOT NULL CHECK (posts >= 0),
    total_posts      integer,
    ratio            real        NOT NULL,
    expected         real        NOT NULL,
    scale            real        NOT NULL CHECK (scale >= 1),
    score            real        NOT NULL,
    statistics_as_of date,
    closed           boolean     NOT NULL,
    authors_bitmap   bigint      NOT NULL,
    texts_bitmap     bigint      NOT NULL,
    first_post_at    timestamptz NOT NULL,
    first_post_id    bigint      NOT NULL,
    latest_post_id   bigint      NOT NULL,
    top_post_id      bigint      NOT NULL,
    top_likes        bigint      NOT NULL,
    PRIMARY KEY (alert_id, window_start)
);
COMMENT ON TABLE alert_windows IS 'One row a window that keeps an incident going (score at least half the threshold), with the figures it was judged by.';
COMMENT ON COLUMN alert_windows.alert_id IS 'the incident';
COMMENT ON COLUMN alert_windows.window_start IS 'start of the 15-minute window (event time, UTC)';
COMMENT ON COLUMN alert_windows.posts IS 'distinct posts with the keyword in the window (posts)';
COMMENT ON COLUMN alert_windows.total_posts IS 'distinct posts of all keywords in the window so far (posts)';
COMMENT ON COLUMN alert_windows.ratio IS 'total_posts / expected_posts of that hour: how full the window is';
COMMENT ON COLUMN alert_windows.expected IS 'posts with the keyword that were expected at this ratio (posts)';
COMMENT ON COLUMN alert_windows.scale IS 'standard deviation that the keyword usually has (square-root posts)';
COMMENT ON COLUMN alert_windows.score IS '(2*sqrt(posts + .375) - 2*sqrt(expected + .375)) / scale';
COMMENT ON COLUMN alert_windows.statistics_as_of IS 'as_of of the statistics it was judged by; null: there were none yet';
COMMENT ON COLUMN alert_windows.closed IS 'whether the window is over, lateness included, so that its figures are final';
COMMENT ON COLUMN alert_windows.authors_bitmap IS '64 bits, one set for each hashed author id; zero bits estimate the number of authors';
COMMENT ON COLUMN alert_windows.texts_bitmap IS '64 bits, one set for each hashed normalised text; zero bits estimate the number of texts';
COMMENT ON COLUMN alert_windows.first_post_at IS 'earliest event time of a post with the keyword in the window (UTC)';
COMMENT ON COLUMN alert_windows.first_post_id IS 'smallest post id';
COMMENT ON COLUMN alert_windows.latest_post_id IS 'largest post id';
COMMENT ON COLUMN alert_windows.top_post_id IS 'id of the most liked post';
COMMENT ON COLUMN alert_windows.top_likes IS 'likes of that post (likes); -1: unknown';

CREATE TABLE live_counts (
    window_start    timestamptz NOT NULL,
    keyword         text        NOT NULL,
    posts           integer     NOT NULL,
    authors_bitmap  bigint      NOT NULL,
    texts_bitmap    bigint      NOT NULL,
    first_post_at   timestamptz NOT NULL,
    first_post_id   bigint      NOT NULL,
    latest_post_id  bigint      NOT NULL,
    top_post_id     bigint      NOT NULL,
    top_likes       bigint      NOT NULL,
    PRIMARY KEY (window_start, keyword)
);
COMMENT ON TABLE live_counts IS 'Windows that are still open, of keywords that stand at least half a threshold above what is expected; emptied as windows close.';
COMMENT ON COLUMN live_counts.window_start IS 'start of the 15-minute window (event time, UTC)';
COMMENT ON COLUMN live_counts.keyword IS 'the keyword';
COMMENT ON COLUMN live_counts.posts IS 'distinct posts so far (posts)';
COMMENT ON COLUMN live_counts.authors_bitmap IS '64 bits, one set for each hashed author id';
COMMENT ON COLUMN live_counts.texts_bitmap IS '64 bits, one set for each hashed normalised text';
COMMENT ON COLUMN live_counts.first_post_at IS 'earliest event time (UTC)';
COMMENT ON COLUMN live_counts.first_post_id IS 'smallest post id';
COMMENT ON COLUMN live_counts.latest_post_id IS 'largest post id';
COMMENT ON COLUMN live_counts.top_post_id IS 'id of the most liked post';
COMMENT ON COLUMN live_counts.top_likes IS 'likes of that post (likes)';

CREATE TABLE traffic_windows (
    window_start timestamptz PRIMARY KEY,
    posts        bigint      NOT NULL CHECK (posts >= 0),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE traffic_windows IS 'Distinct posts of all keywords per window, as the stream counted them; their sum is what was counted.';
COMMENT ON COLUMN traffic_windows.window_start IS 'start of the 15-minute window (event time, UTC)';
COMMENT ON COLUMN traffic_windows.posts IS 'distinct posts in the window so far (posts)';
COMMENT ON COLUMN traffic_windows.updated_at IS 'when the row was last written (wall clock)';

CREATE TABLE detect_batches (
    query_id       uuid        NOT NULL,
    batch_id       bigint      NOT NULL,
    max_event_time timestamptz,
    committed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (query_id, batch_id)
);
COMMENT ON TABLE detect_batches IS 'Ledger of detection: a batch that stands here is done and is not done again after a crash.';
COMMENT ON COLUMN detect_batches.query_id IS 'id of the streaming query, kept in its checkpoint';
COMMENT ON COLUMN detect_batches.batch_id IS 'number of the batch within that checkpoint';
COMMENT ON COLUMN detect_batches.max_event_time IS 'newest event time in the batch (UTC)';
COMMENT ON COLUMN detect_batches.committed_at IS 'when the batch was committed (wall clock)';

CREATE TABLE detect_clock (
    singleton      boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
    max_event_time timestamptz NOT NULL,
    closed_until   timestamptz NOT NULL,
    seen_at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE detect_clock IS 'How far detection has come in event time; one row.';
COMMENT ON COLUMN detect_clock.singleton IS 'always true: keeps the table at one row';
COMMENT ON COLUMN detect_clock.max_event_time IS 'newest event time seen (UTC)';
COMMENT ON COLUMN detect_clock.seen_at IS 'when the newest event was seen (wall clock)';
COMMENT ON COLUMN detect_clock.closed_until IS 'windows that end at or before this are closed and decided (event time, UTC)';

CREATE TABLE rejected_records (
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    "offset"    bigint      NOT NULL,
    kafka_time  timestamptz NOT NULL,
    reason      text        NOT NULL,
    record_head text,
    rejected_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, "offset")
);
COMMENT ON TABLE rejected_records IS 'Records that could not be used, with the reason; the whole record stays in the archive.';
COMMENT ON COLUMN rejected_records.topic IS 'Kafka topic';
COMMENT ON COLUMN rejected_records.partition IS 'Kafka partition';
COMMENT ON COLUMN rejected_records."offset" IS 'Kafka offset';
COMMENT ON COLUMN rejected_records.kafka_time IS 'when Kafka took the record (UTC)';
COMMENT ON COLUMN rejected_records.reason IS 'why it could not be used';
COMMENT ON COLUMN rejected_records.record_head IS 'first 500 characters of the record, NUL characters dropped';
COMMENT ON COLUMN rejected_records.rejected_at IS 'when the row was written (wall clock)';

CREATE TABLE pipeline_progress (
    query       text        NOT NULL,
    topic       text        NOT NULL,
    partition   integer     NOT NULL,
    next_offset bigint      NOT NULL,
    end_offset  bigint      NOT NULL,
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (query, topic, partition)
);
COMMENT ON TABLE pipeline_progress IS 'How far each query of the streaming process is in each partition.';
COMMENT ON COLUMN pipeline_progress.query IS 'archive or detect';
COMMENT ON COLUMN pipeline_progress.topic IS 'Kafka topic';
COMMENT ON COLUMN pipeline_progress.partition IS 'Kafka partition';
COMMENT ON COLUMN pipeline_progress.next_offset IS 'offset that the query reads next; all before it are committed';
COMMENT ON COLUMN pipeline_progress.end_offset IS 'end of the partition when it was looked at; end_offset - next_offset is the lag (records)';
COMMENT ON COLUMN pipeline_progress.observed_at IS 'when it was looked at (wall clock)';

CREATE TABLE pipeline_metrics (
    observed_at     timestamptz NOT NULL,
    query           text        NOT NULL,
    batch_id        bigint      NOT NULL,
    input_records   bigint      NOT NULL,
    duration_ms     bigint      NOT NULL,
    lag_records     bigint      NOT NULL,
    watermark       timestamptz,
    late_posts      bigint      NOT NULL,
    duplicate_posts bigint      NOT NULL,
    state_rows      bigint      NOT NULL,
    state_bytes     bigint      NOT NULL,
    PRIMARY KEY (query, observed_at, batch_id)
);
COMMENT ON TABLE pipeline_metrics IS 'One row a batch of a streaming query that read something.';
COMMENT ON COLUMN pipeline_metrics.observed_at IS 'start of the batch (wall clock)';
COMMENT ON COLUMN pipeline_metrics.query IS 'archive or detect';
COMMENT ON COLUMN pipeline_metrics.batch_id IS 'number of the batch in its checkpoint';
COMMENT ON COLUMN pipeline_metrics.input_records IS 'Kafka records read (records)';
COMMENT ON COLUMN pipeline_metrics.duration_ms IS 'duration of the batch (milliseconds)';
COMMENT ON COLUMN pipeline_metrics.lag_records IS 'records in Kafka that were not yet read when the batch began, after it (records)';
COMMENT ON COLUMN pipeline_metrics.watermark IS 'watermark of the batch (event time, UTC); null for the archive';
COMMENT ON COLUMN pipeline_metrics.late_posts IS 'posts that came after their window had closed (posts)';
COMMENT ON COLUMN pipeline_metrics.duplicate_posts IS 'posts that had been counted in the same window before (posts)';
COMMENT ON COLUMN pipeline_metrics.state_rows IS 'rows of state after the batch (rows)';
COMMENT ON COLUMN pipeline_metrics.state_bytes IS 'memory of that state (bytes)';
