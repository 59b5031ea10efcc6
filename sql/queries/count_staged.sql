-- Number of distinct posts, authors, sounds, challenges and pairs of post and challenge in staging; columns named
-- as the tables.
SELECT (SELECT count(DISTINCT post_id) FROM staging.posts) AS posts,
       (SELECT count(DISTINCT author_id) FROM staging.authors) AS authors,
       (SELECT count(DISTINCT music_id) FROM staging.music) AS music,
       (SELECT count(DISTINCT challenge_id) FROM staging.challenges) AS challenges,
       (SELECT count(*) FROM (SELECT DISTINCT post_id, challenge_id FROM staging.post_challenges) AS pairs)
           AS post_challenges
