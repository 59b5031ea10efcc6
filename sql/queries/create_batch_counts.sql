-- A temporary table for the counts of one batch; dropped when the transaction ends.
CREATE TEMPORARY TABLE batch_counts (LIKE live_counts INCLUDING DEFAULTS) ON COMMIT DROP
