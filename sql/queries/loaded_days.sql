-- Of the given days those that were loaded: with how many posts, whether their partitions are still there, and whether they have trends.
SELECT day, loaded_posts,
       to_regclass('post_stats_' || to_char(day, 'YYYYMMDD')) IS NOT NULL
           AND to_regclass('post_keywords_' || to_char(day, 'YYYYMMDD')) IS NOT NULL AS kept,
       trended_at IS NOT NULL AS trended
FROM batch_days
WHERE loaded_at IS NOT NULL AND day = ANY (%(days)s::date[])
