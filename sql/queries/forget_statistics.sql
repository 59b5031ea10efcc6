-- Forget what was learned of the traffic, the thresholds that followed, and which days were learned; the partitions of keyword_statistics are dropped beside it.
DELETE FROM traffic_statistics;
DELETE FROM candidate_windows;
DELETE FROM detection_thresholds;
UPDATE batch_days SET status = NULL, fitted_at = NULL, counted_posts = NULL, keywords = NULL
