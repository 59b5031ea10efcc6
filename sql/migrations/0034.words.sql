-- depends: 0033.loaded-before
-- One word for one thing: columns and tables by the names of docs/glossary.md. docs/upgrade.md lists the old ones.

ALTER TABLE keyword_statistics RENAME COLUMN burst TO dispersion;
ALTER TABLE keyword_statistics RENAME COLUMN spread60 TO hourly_spread;

ALTER TABLE alert_windows RENAME COLUMN posts60 TO hourly_posts;
ALTER TABLE alert_windows RENAME COLUMN expected60 TO hourly_expected;
ALTER TABLE alert_windows RENAME COLUMN spread60 TO hourly_spread;
ALTER TABLE alert_windows RENAME COLUMN score60 TO hourly_score;
ALTER TABLE alert_windows RENAME COLUMN authors60_bitmap TO hourly_authors_bitmap;
ALTER TABLE alert_windows RENAME COLUMN strength TO threshold_ratio;
ALTER TABLE anomaly_alerts RENAME COLUMN strength TO threshold_ratio;

ALTER VIEW live_hours RENAME COLUMN posts60 TO hourly_posts;
ALTER VIEW live_hours RENAME COLUMN authors60_bitmap TO hourly_authors_bitmap;

ALTER TABLE candidate_windows RENAME COLUMN posts60 TO hourly_posts;
ALTER TABLE candidate_windows RENAME COLUMN expected60 TO hourly_expected;
ALTER TABLE candidate_windows RENAME COLUMN spread60 TO hourly_spread;
ALTER TABLE candidate_windows RENAME COLUMN authors60 TO hourly_authors;

ALTER TABLE vetoed_windows RENAME TO suppressed_windows;
ALTER INDEX vetoed_windows_pkey RENAME TO suppressed_windows_pkey;
ALTER TABLE suppressed_windows RENAME CONSTRAINT vetoed_windows_reason_check TO suppressed_windows_reason_check;
ALTER TABLE suppressed_windows RENAME COLUMN posts60 TO hourly_posts;
ALTER TABLE suppressed_windows RENAME COLUMN distinct_authors60 TO hourly_distinct_authors;

ALTER TABLE silence_alerts RENAME TO drop_alerts;
ALTER INDEX silence_alerts_pkey RENAME TO drop_alerts_pkey;
ALTER TABLE watchlist RENAME COLUMN silence TO drops;
