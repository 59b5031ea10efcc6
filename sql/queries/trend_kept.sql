-- The keys of a day that are kept, by kind, with their rank and an integer id that is cheap to group by.
CREATE UNLOGGED TABLE staging.trend_kept AS
SELECT row_number() OVER ()::integer AS trend_id, kind, key, rank
FROM (
    SELECT kind, key, row_number() OVER (PARTITION BY kind ORDER BY count(*) DESC, key)::integer AS rank
    FROM post_keys
    WHERE day = %(day)s
    GROUP BY kind, key
    HAVING count(*) >= %(least_posts)s OR kind = 'all'
) AS ranked
WHERE rank <= %(keep_ranks)s
