-- Number of learned days from %(oldest)s to %(day)s with candidates: all but the very first, which has no
-- statistics before it.
SELECT count(*)::integer
FROM batch_days
WHERE day >= %(oldest)s
  AND day <= %(day)s
  AND status = 'fitted'
  AND day > (SELECT min(day) FROM batch_days WHERE status = 'fitted')
