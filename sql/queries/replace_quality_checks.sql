-- Check a loaded day and write one row per check. What was counted in the archive arrives as parameters.
WITH of_day AS (
    SELECT DISTINCT ON (post_id) *, min(seen_at) OVER (PARTITION BY post_id) AS first_seen
    FROM post_stats WHERE day = %(day)s
    ORDER BY post_id, seen_at DESC
), counted AS (
    SELECT count(*)                                                            AS posts,
           count(*) FILTER (WHERE posts.post_id IS NULL)                       AS lost,
           avg((authors.author_id IS NULL AND of_day.author_id IS NOT NULL)::int) AS no_author,
           avg((music.music_id IS NULL AND of_day.music_id IS NOT NULL)::int)     AS no_sound,
           avg((of_day.play_count IS NULL)::int)                               AS unknown_plays,
           avg((of_day.like_count IS NULL)::int)                               AS unknown_likes,
           avg((of_day.author_id IS NULL)::int)                                AS unknown_authors,
           avg((of_day.music_id IS NULL)::int)                                 AS unknown_sounds
    FROM of_day LEFT JOIN posts USING (post_id) LEFT JOIN authors ON authors.author_id = of_day.author_id
    LEFT JOIN music ON music.music_id = of_day.music_id
), tags AS (
    SELECT avg((challenges.challenge_id IS NULL)::int) AS unknown
    FROM (SELECT DISTINCT unnest(challenge_ids) AS challenge_id FROM of_day) AS named LEFT JOIN challenges USING (challenge_id)
), quiet_hours AS (
    SELECT count(*) AS hours
    FROM traffic_statistics
    WHERE as_of = (SELECT max(as_of) FROM traffic_statistics WHERE as_of < %(day)s)
      AND 4 * expected_posts >= %(busy_posts)s
      AND hour NOT IN (SELECT extract(hour FROM first_seen AT TIME ZONE 'UTC') FROM of_day)
), ledger AS (
    SELECT status, counted_posts, loaded_posts, trended_at FROM batch_days WHERE day = %(day)s
), usual AS (
    SELECT "check", avg(value) AS mean, greatest(4 * coalesce(stddev_samp(value), 0), %(least_band)s) AS band
    FROM quality_checks WHERE day < %(day)s AND day >= %(day)s - %(usual_days)s GROUP BY "check" HAVING count(*) >= 3
), exact (name, value, expected) AS (
    SELECT 'archived offsets', %(archived_offsets)s::bigint, %(kafka_offsets)s::bigint
    UNION ALL SELECT 'records archived twice', %(archived_twice)s::bigint, 0
    UNION ALL SELECT 'posts loaded', loaded_posts, %(archived_posts)s::bigint FROM ledger
    UNION ALL SELECT 'posts with history', posts, %(archived_posts)s::bigint FROM counted
    UNION ALL SELECT 'posts learned from', counted_posts, %(archived_in_windows)s::bigint FROM ledger WHERE status = 'fitted'
    UNION ALL SELECT 'posts lost', lost, 0 FROM counted
    UNION ALL SELECT 'posts in trends', coalesce((SELECT posts FROM daily_trends WHERE day = %(day)s AND kind = 'all'), 0),
                     %(archived_posts)s::bigint FROM ledger WHERE trended_at IS NOT NULL
), shares (name, value) AS (
    SELECT named.* FROM counted CROSS JOIN LATERAL (VALUES
        ('share of unknown plays', unknown_plays), ('share of unknown likes', unknown_likes),
        ('share of unknown authors', unknown_authors), ('share of unknown sounds', unknown_sounds),
        ('share of authors without a row', no_author), ('share of sounds without a row', no_sound)) AS named
    WHERE posts > 0
    UNION ALL SELECT 'share of challenges without a row', unknown FROM tags WHERE unknown IS NOT NULL
), checks (name, value, expected, passed, blocking) AS (
    SELECT name, value::float8, expected::text, value = expected, true FROM exact
    UNION ALL
    SELECT name, value::float8,
           coalesce(
               format('%%s to %%s', round(greatest(mean - band, 0)::numeric, 3), round(least(mean + band, 1)::numeric, 3)),
               'not known yet'
           ),
           coalesce(value BETWEEN mean - band AND mean + band, true), false
    FROM shares LEFT JOIN usual ON usual."check" = name
    UNION ALL
    SELECT 'hours without a post', hours::float8, '0', hours = 0, false FROM quiet_hours
), deleted AS (
    DELETE FROM quality_checks WHERE day = %(day)s AND "check" NOT IN (SELECT name FROM checks)
)
INSERT INTO quality_checks (day, "check", value, expected, passed, blocking)
SELECT %(day)s, name, value, expected, passed, blocking FROM checks
ON CONFLICT (day, "check") DO UPDATE
SET value = excluded.value, expected = excluded.expected, passed = excluded.passed, blocking = excluded.blocking,
    checked_at = now()
RETURNING "check", value, expected, passed, blocking
