-- Trends of a day and kind by rank, beside the growth of all posts together.
SELECT trends.rank, trends.key, trends.posts, trends.authors, trends.growth_1d, trends.growth_7d, trends.growth_1h,
       trends.steepest_hour, trends.engagement_rate, trends.virality,
       coalesce(music.name, authors.unique_id, challenges.name, trends.key) AS name
FROM daily_trends AS trends
LEFT JOIN music ON trends.kind = 'music' AND music.music_id::text = trends.key
LEFT JOIN authors ON trends.kind = 'author' AND authors.author_id::text = trends.key
LEFT JOIN challenges ON trends.kind = 'challenge' AND challenges.challenge_id::text = trends.key
WHERE trends.day = %(day)s AND trends.kind = %(kind)s
ORDER BY trends.rank
OFFSET %(skip)s
LIMIT %(most)s
