-- What the lines of ndjson say, computed by DuckDB alone; `lines` has kafka_offset and line; fold() and hashtags_in() are
-- the keyword rule in Python, keep_ranks() is the number of trends that are kept of each kind and day.
CREATE MACRO known_id(value) AS CASE WHEN regexp_full_match(value, '[0-9]{1,19}') THEN nullif(TRY_CAST(value AS BIGINT), 0) END;
CREATE MACRO known_integer(value) AS
    CASE WHEN regexp_full_match(value, '-?[0-9]+') THEN TRY_CAST(value AS BIGINT) ELSE TRY_CAST(trunc(TRY_CAST(value AS DOUBLE)) AS BIGINT) END;
CREATE MACRO known_count(value) AS CASE WHEN known_integer(value) >= 0 THEN known_integer(value) END;
CREATE MACRO grown(now_posts, before_posts) AS (now_posts + 10) / (before_posts + 10)::DOUBLE - 1;

CREATE TABLE delivered AS
SELECT kafka_offset, seconds AS seen, CAST(to_timestamp(seconds) AT TIME ZONE 'UTC' AS DATE) AS day, known_id(id) AS post_id,
       coalesce(known_id(post ->> '$.itemInfos.authorId'), known_id(post ->> '$.authorInfos.userId')) AS author_id,
       coalesce(known_id(post ->> '$.itemInfos.musicId'), known_id(post ->> '$.musicInfos.musicId'))  AS music_id,
       known_count(post ->> '$.itemInfos.diggCount') AS like_count, known_count(post ->> '$.itemInfos.playCount') AS play_count,
       known_count(post ->> '$.itemInfos.shareCount') AS share_count, known_count(post ->> '$.itemInfos.commentCount') AS comment_count,
       list_sort(list_distinct(list_filter(
           list_transform(post ->> '$.challengeInfoList[*].challengeId', lambda text: known_id(text)), lambda known: known IS NOT NULL
       ))) AS challenge_ids,
       known_id(post ->> '$.musicInfos.musicId') AS sound_of, known_id(post ->> '$.authorInfos.userId') AS stats_of, known_count(post ->> '$.authorStats.followerCount') AS follower_count,
       known_count(post ->> '$.authorStats.followingCount') AS following_count,
       known_count(post ->> '$.authorStats.heartCount') AS heart_count, known_count(post ->> '$.authorStats.videoCount') AS video_count,
       known_count(post ->> '$.authorStats.diggCount') AS given_count,
       fold(coalesce(post ->> '$.itemInfos.text', '')) AS said,
       post -> '$.textExtra[*]' AS extras
FROM (
    SELECT *, post ->> '$.itemInfos.id' AS id, TRY_CAST(post ->> '$.time_stamp' AS DOUBLE) AS seconds
    FROM (SELECT kafka_offset, CASE WHEN json_valid(line) THEN line::JSON END AS post FROM lines)
    WHERE json_type(post) = 'OBJECT'
)
WHERE known_id(id) IS NOT NULL AND seconds >= 0;

CREATE TABLE posts AS
SELECT * FROM delivered QUALIFY row_number() OVER (PARTITION BY post_id ORDER BY seen DESC) = 1;
CREATE TABLE authors AS SELECT DISTINCT stats_of FROM delivered WHERE stats_of IS NOT NULL;
CREATE TABLE music AS SELECT DISTINCT sound_of FROM delivered WHERE sound_of IS NOT NULL;
CREATE TABLE post_challenges AS SELECT DISTINCT post_id, unnest(challenge_ids) AS challenge_id FROM delivered;
CREATE TABLE challenges AS SELECT DISTINCT challenge_id FROM post_challenges;

CREATE TABLE post_stats AS
SELECT * FROM delivered
WINDOW by_time AS (PARTITION BY day, post_id ORDER BY seen)
QUALIFY row_number() OVER by_time = 1
     OR {'a': play_count, 'b': like_count, 'c': share_count, 'd': comment_count, 'e': author_id, 'f': music_id, 'g': challenge_ids}
        IS DISTINCT FROM lag({'a': play_count, 'b': like_count, 'c': share_count, 'd': comment_count, 'e': author_id, 'f': music_id,
                              'g': challenge_ids}) OVER by_time;

CREATE TABLE author_stats AS
SELECT day, stats_of AS author_id, follower_count, heart_count
FROM delivered
WHERE stats_of IS NOT NULL AND coalesce(follower_count, following_count, heart_count, video_count, given_count) IS NOT NULL
WINDOW by_author AS (PARTITION BY day, stats_of ORDER BY seen)
QUALIFY row_number() OVER by_author = 1
     OR {'a': follower_count, 'b': following_count, 'c': heart_count, 'd': video_count, 'e': given_count}
        IS DISTINCT FROM lag({'a': follower_count, 'b': following_count, 'c': heart_count, 'd': video_count, 'e': given_count}) OVER by_author;

CREATE TABLE tagged AS
SELECT day, post_id, seen, substr(tag, 1, 64) AS hashtag, NULL::BIGINT AS hashtag_id, true AS in_text
FROM (SELECT *, unnest(hashtags_in(said)) AS tag FROM delivered)
UNION ALL
SELECT day, post_id, seen, substr(regexp_replace(fold(extra ->> '$.HashtagName'), '[\s#]', '', 'g'), 1, 64), known_id(extra ->> '$.HashtagId'), false
FROM (SELECT *, unnest(extras) AS extra FROM delivered)
WHERE (extra ->> '$.Type') = '1' AND (extra ->> '$.HashtagName') <> '';

CREATE TABLE post_hashtags AS
SELECT day, hashtag, post_id, bool_or(in_text) AS in_text, bool_or(NOT in_text) AS in_text_extra FROM tagged GROUP BY day, hashtag, post_id;

CREATE TABLE hashtags AS
SELECT hashtag, min(hashtag_id) AS hashtag_id, arg_min(post_id, seen) AS first_post_id FROM tagged GROUP BY hashtag;

CREATE TABLE keyed AS
SELECT day, 'all' AS kind, '' AS key, post_id FROM delivered
UNION SELECT day, 'author', author_id::VARCHAR, post_id FROM delivered WHERE author_id IS NOT NULL
UNION SELECT day, 'music', music_id::VARCHAR, post_id FROM delivered WHERE music_id IS NOT NULL
UNION SELECT day, 'hashtag', hashtag, post_id FROM tagged
UNION SELECT day, 'challenge', unnest(challenge_ids)::VARCHAR, post_id FROM delivered;

CREATE TABLE newest AS
SELECT *, hour(to_timestamp(min(seen) OVER (PARTITION BY day, post_id)) AT TIME ZONE 'UTC') AS first_hour
FROM delivered
QUALIFY row_number() OVER (PARTITION BY day, post_id ORDER BY seen DESC) = 1;

CREATE TABLE hourly AS
SELECT day, kind, key, first_hour, count(*) AS posts FROM keyed JOIN newest USING (day, post_id) GROUP BY ALL;

CREATE TABLE daily_trends AS
WITH counted AS (
    SELECT day, kind, key, count(*) AS posts, count(DISTINCT author_id) AS authors, sum(play_count) AS plays, sum(like_count) AS likes,
           sum(share_count) AS shares, sum(comment_count) AS comments,
           sum(like_count + share_count + comment_count) FILTER (play_count > 0)
               / sum(play_count) FILTER (play_count > 0 AND like_count + share_count + comment_count IS NOT NULL) AS engagement_rate,
           sum(share_count) FILTER (play_count > 0) / sum(play_count) FILTER (play_count > 0 AND share_count IS NOT NULL) AS virality,
           sum(comment_count) FILTER (play_count > 0) / sum(play_count) FILTER (play_count > 0 AND comment_count IS NOT NULL) AS discussion
    FROM keyed JOIN newest USING (day, post_id)
    GROUP BY ALL
), rising AS (
    SELECT later.day, later.kind, later.key, later.first_hour AS steepest_hour, grown(later.posts, coalesce(earlier.posts, 0)) AS growth_1h
    FROM hourly AS later
    LEFT JOIN hourly AS earlier
           ON (earlier.day, earlier.kind, earlier.key, earlier.first_hour + 1) = (later.day, later.kind, later.key, later.first_hour)
    WHERE later.first_hour > 0 AND later.posts > coalesce(earlier.posts, 0)
    QUALIFY row_number() OVER (PARTITION BY later.day, later.kind, later.key ORDER BY growth_1h DESC, steepest_hour) = 1
)
SELECT today.*, row_number() OVER (PARTITION BY today.day, today.kind ORDER BY today.posts DESC, today.key) AS rank,
       CASE WHEN today.day > (SELECT min(day) FROM delivered) THEN grown(today.posts, coalesce(yesterday.posts, 0)) END AS growth_1d,
       CASE WHEN today.day - 7 >= (SELECT min(day) FROM delivered) THEN grown(today.posts, coalesce(week_ago.posts, 0)) END AS growth_7d,
       coalesce(growth_1h, 0) AS growth_1h, steepest_hour
FROM counted AS today
LEFT JOIN counted AS yesterday ON (yesterday.day + 1, yesterday.kind, yesterday.key) = (today.day, today.kind, today.key)
LEFT JOIN counted AS week_ago ON (week_ago.day + 7, week_ago.kind, week_ago.key) = (today.day, today.kind, today.key)
LEFT JOIN rising ON (rising.day, rising.kind, rising.key) = (today.day, today.kind, today.key)
WHERE today.posts >= 3 OR today.kind = 'all'
QUALIFY rank <= keep_ranks();
