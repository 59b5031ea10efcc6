-- Forget the learned traffic, the thresholds derived from it, and which days were learned. The caller drops the
-- partitions of keyword_statistics.
DELETE FROM traffic_statistics;
DELETE FROM candidate_windows;
DELETE FROM detection_thresholds;
UPDATE batch_days SET status = NULL, fitted_at = NULL, counted_posts = NULL, keywords = NULL
