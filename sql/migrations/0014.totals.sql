-- depends: 0002.alerts
-- What the forgotten rows of pipeline_metrics came to, so that totals do not shrink with them.

CREATE TABLE pipeline_totals (
    query           text   PRIMARY KEY,
    batches         bigint NOT NULL CHECK (batches >= 0),
    input_records   bigint NOT NULL CHECK (input_records >= 0),
    duration_ms     bigint NOT NULL CHECK (duration_ms >= 0),
    late_posts      bigint NOT NULL CHECK (late_posts >= 0),
    duplicate_posts bigint NOT NULL CHECK (duplicate_posts >= 0)
);
COMMENT ON TABLE pipeline_totals IS 'Sums over the rows of pipeline_metrics that were forgotten after 14 days; with those that are left they are the totals since the beginning.';
COMMENT ON COLUMN pipeline_totals.query IS 'archive or detect';
COMMENT ON COLUMN pipeline_totals.batches IS 'batches that read something (batches)';
COMMENT ON COLUMN pipeline_totals.input_records IS 'Kafka records read (records)';
COMMENT ON COLUMN pipeline_totals.duration_ms IS 'duration of those batches (milliseconds)';
COMMENT ON COLUMN pipeline_totals.late_posts IS 'posts that came after their window had closed (posts)';
COMMENT ON COLUMN pipeline_totals.duplicate_posts IS 'posts that had been counted in the same window before (posts)';
