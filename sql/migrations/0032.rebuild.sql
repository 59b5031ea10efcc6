-- depends: 0031.roles
-- Which days have their alerts from the archive, so that a rebuild goes on where it was interrupted and judges no window twice.

ALTER TABLE batch_days ADD COLUMN alerts_rebuilt_at timestamptz;
COMMENT ON COLUMN batch_days.alerts_rebuilt_at IS 'when the alerts of the day were made again from the archive (wall clock); null: they are what detection said';
