-- depends: 0010.history
-- What a day was about: the trends step writes one row a keyword, hashtag, challenge, sound and author of note.

CREATE VIEW post_keys AS
SELECT day, 'keyword' AS kind, keyword COLLATE "C" AS key, post_id FROM post_keywords
UNION ALL
SELECT day, 'hashtag', hashtag COLLATE "C", post_id FROM post_hashtags
UNION ALL
SELECT DISTINCT day, 'challenge', challenge_id::text COLLATE "C", post_id FROM post_stats CROSS JOIN unnest(challenge_ids) AS challenge_id
UNION ALL
SELECT DISTINCT day, 'music', music_id::text COLLATE "C", post_id FROM post_stats WHERE music_id IS NOT NULL
UNION ALL
SELECT DISTINCT day, 'author', author_id::text COLLATE "C", post_id FROM post_stats WHERE author_id IS NOT NULL
UNION ALL
SELECT DISTINCT day, 'all', '' COLLATE "C", post_id FROM post_stats;
COMMENT ON VIEW post_keys IS 'Which post stood for what on a day, each pair once: keywords, hashtags, challenges, sounds and authors as one list. Ask for a day and a kind: everything is a lot.';
COMMENT ON COLUMN post_keys.day IS 'day of the deliveries (UTC date of event time)';
COMMENT ON COLUMN post_keys.kind IS 'keyword, hashtag, challenge, music, author, or all for every post';
COMMENT ON COLUMN post_keys.key IS 'the keyword or hashtag; the id of challenge, sound or author as text; empty for all';
COMMENT ON COLUMN post_keys.post_id IS 'the post (posts.post_id)';

CREATE FUNCTION growth(posts bigint, posts_before bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (posts + 10) / (posts_before + 10)::double precision - 1;
COMMENT ON FUNCTION growth IS 'Growth from one time to the next of equal length: (posts + 10) / (posts_before + 10) - 1; 0 is unchanged, 1 is doubled, null where one of them is unknown. Both counts are taken for Poisson counts with the same gamma prior of 10 posts, whose posterior means are in the ratio of count + 10 (Gelman et al., Bayesian Data Analysis, 3rd edition, section 2.6). Without the 10, from 0 to 1 would be infinite and every word that is posted twice would lead; with it 0 to 1 is .1 and 0 to 10 is 1.';

CREATE TABLE daily_trends (
    day             date             NOT NULL,
    kind            text             NOT NULL CHECK (kind IN ('all', 'keyword', 'hashtag', 'challenge', 'music', 'author')),
    key             text             COLLATE "C" NOT NULL CHECK ((key = '') = (kind = 'all')),
    rank            integer          NOT NULL CHECK (rank > 0),
    posts           bigint           NOT NULL CHECK (posts > 0),
    authors         bigint           NOT NULL CHECK (authors BETWEEN 0 AND posts),
    plays           numeric,
    likes           numeric,
    shares          numeric,
    comments        numeric,
    engagement_rate double precision,
    virality        double precision,
    discussion      double precision,
    posts_day_ago   bigint           CHECK (posts_day_ago >= 0),
    posts_week_ago  bigint           CHECK (posts_week_ago >= 0),
    growth_1h       double precision NOT NULL CHECK (growth_1h >= 0),
    steepest_hour   smallint         CHECK (steepest_hour BETWEEN 1 AND 23),
    growth_1d       double precision,
    growth_7d       double precision,
    PRIMARY KEY (day, kind, key),
    UNIQUE (day, kind, rank)
);
CREATE INDEX daily_trends_key ON daily_trends (kind, key, day);
CREATE INDEX daily_trends_growth ON daily_trends (day, kind, growth_1d DESC NULLS LAST);
COMMENT ON TABLE daily_trends IS 'What the posts of a day were about. A post counts on each day on which it was delivered, with its counts as delivered last on that day. Kept are, of every kind, keys of at least 3 posts, at most GROUNDSWELL_TRENDS_KEEP_RANKS of them; kind all has one row for all posts together.';
COMMENT ON COLUMN daily_trends.day IS 'the day (UTC date of event time)';
COMMENT ON COLUMN daily_trends.kind IS 'keyword, hashtag, challenge, music, author, or all for every post of the day';
COMMENT ON COLUMN daily_trends.key IS 'the keyword or hashtag; challenge_id, music_id or author_id as text; empty for all';
COMMENT ON COLUMN daily_trends.rank IS 'place by posts among the keys of its kind on the day, 1 for the most; of equal ones the key that comes first in byte order';
COMMENT ON COLUMN daily_trends.posts IS 'distinct posts with the key (posts)';
COMMENT ON COLUMN daily_trends.authors IS 'distinct known authors of these posts (authors)';
COMMENT ON COLUMN daily_trends.plays IS 'plays of those of these posts of which plays are known (plays); null where of none';
COMMENT ON COLUMN daily_trends.likes IS 'likes, likewise (likes)';
COMMENT ON COLUMN daily_trends.shares IS 'shares, likewise (shares)';
COMMENT ON COLUMN daily_trends.comments IS 'comments, likewise (comments)';
COMMENT ON COLUMN daily_trends.engagement_rate IS '(likes + comments + shares) / plays over the posts of which all four are known and plays are not 0 (ratio); null where there is none';
COMMENT ON COLUMN daily_trends.virality IS 'shares / plays over the posts of which both are known and plays are not 0 (ratio); null where there is none';
COMMENT ON COLUMN daily_trends.discussion IS 'comments / plays over the posts of which both are known and plays are not 0 (ratio); null where there is none';
COMMENT ON COLUMN daily_trends.posts_day_ago IS 'posts with the key on the day before (posts); null where that day was not loaded';
COMMENT ON COLUMN daily_trends.posts_week_ago IS 'posts with the key on the same weekday a week before (posts); null where that day was not loaded';
COMMENT ON COLUMN daily_trends.growth_1h IS 'steepest growth() from one hour of the day to the next, a post counted in the hour of its first delivery on the day (ratio less 1, with a prior of 10 posts); 0 where no hour had more than the one before';
COMMENT ON COLUMN daily_trends.steepest_hour IS 'the hour that grew so, the earliest of equal ones (UTC hour, 1 to 23); null where none grew';
COMMENT ON COLUMN daily_trends.growth_1d IS 'growth(posts, posts_day_ago): against the day before (ratio less 1, with a prior of 10 posts); null where that day is unknown. Compare with that of kind all: when everything doubles, so does every key';
COMMENT ON COLUMN daily_trends.growth_7d IS 'growth(posts, posts_week_ago): against the same weekday a week before, so that the rhythm of the week drops out (ratio less 1, with a prior of 10 posts); null where that day is unknown';

ALTER TABLE batch_days
    ADD COLUMN trended_at timestamptz,
    ADD COLUMN trends     bigint CHECK (trends >= 0);
COMMENT ON COLUMN batch_days.trended_at IS 'when the trends step was done last (wall clock); null: never';
COMMENT ON COLUMN batch_days.trends IS 'rows that the day has in daily_trends (trends)';
