-- Those of the given days that were loaded: number of posts, whether their partitions still exist, whether they
-- have trends.
SELECT day, loaded_posts AS posts,
       to_regclass('post_stats_' || to_char(day, 'YYYYMMDD')) IS NOT NULL
           AND to_regclass('post_keywords_' || to_char(day, 'YYYYMMDD')) IS NOT NULL AS kept,
       trended_at IS NOT NULL AS has_trends
FROM batch_days
WHERE loaded_at IS NOT NULL AND day = ANY (%(days)s::date[])
