-- Every day for which the statistics step was done, oldest first, with fitted or empty.
SELECT day, status
FROM batch_days
WHERE status IS NOT NULL
ORDER BY day
