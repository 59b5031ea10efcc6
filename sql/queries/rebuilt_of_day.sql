-- Whether the alerts of %(day)s were rebuilt from the archive, and whether the batch has loaded, counted and
-- learned the day.
SELECT
    alerts_rebuilt_at IS NOT NULL AS alerts,
    coalesce(status = 'empty' OR (status = 'fitted' AND loaded_at IS NOT NULL AND trended_at IS NOT NULL), false) AS tables
FROM batch_days
WHERE day = %(day)s
