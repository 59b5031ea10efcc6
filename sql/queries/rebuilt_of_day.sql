-- Of %(day)s: whether its alerts were made again from the archive, and whether the batch has loaded, counted and learned it.
SELECT
    alerts_rebuilt_at IS NOT NULL,
    coalesce(status = 'empty' OR (status = 'fitted' AND loaded_at IS NOT NULL AND trended_at IS NOT NULL), false)
FROM batch_days
WHERE day = %(day)s
