-- Posts, and the sum of their squares (NaN if unknown), of each of %(keywords)s in the windows of %(day)s and the day before that have left live_counts.
SELECT keyword, sum(posts)::bigint, sum(coalesce(squared_posts, 'NaN'))
FROM past_counts
WHERE day IN (%(day)s, %(day)s::date - 1) AND keyword = ANY (%(keywords)s)
GROUP BY keyword
