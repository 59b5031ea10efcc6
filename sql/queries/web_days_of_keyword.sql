-- What a keyword had on each day of daily_trends, newest day first.
SELECT day, posts, authors, rank, growth_1d, growth_7d
FROM daily_trends
WHERE kind = 'keyword' AND key = %(keyword)s
ORDER BY day DESC
LIMIT %(most)s
