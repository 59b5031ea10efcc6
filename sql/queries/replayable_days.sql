-- How many learned days from %(oldest)s to %(day)s have candidates: all but the very first, which nothing was known before.
SELECT count(*)::integer
FROM batch_days
WHERE day >= %(oldest)s
  AND day <= %(day)s
  AND status = 'fitted'
  AND day > (SELECT min(day) FROM batch_days WHERE status = 'fitted')
