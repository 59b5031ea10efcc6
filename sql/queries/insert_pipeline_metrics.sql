-- Insert the metrics of batches, one row per batch; a batch that is there already is skipped.
INSERT INTO pipeline_metrics (
    observed_at, query, batch_id, input_records, duration_ms, lag_records, watermark, late_posts, duplicate_posts,
    state_rows, state_bytes
) VALUES %s
ON CONFLICT DO NOTHING
