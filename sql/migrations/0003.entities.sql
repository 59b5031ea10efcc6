-- What the daily batch writes beside the statistics: posts, authors, music, challenges, and its own ledger of days.
-- One row an entity, its newest delivery. Ids are TikTok's, up to 19 digits. No foreign keys: any part of a post may be missing.

CREATE TABLE posts (
    post_id          bigint      PRIMARY KEY CHECK (post_id > 0),
    text             text,
    created_at       timestamptz,
    author_id        bigint,
    music_id         bigint,
    duet_of_post_id  bigint,
    like_count       bigint,
    share_count      bigint,
    comment_count    bigint,
    play_count       bigint,
    duration_seconds integer,
    width_pixels     integer,
    height_pixels    integer,
    is_original      boolean,
    is_official      boolean,
    is_activity_item boolean,
    first_seen       timestamptz NOT NULL,
    last_seen        timestamptz NOT NULL CHECK (last_seen >= first_seen),
    kafka_partition  integer     NOT NULL,
    kafka_offset     bigint      NOT NULL
);
CREATE INDEX posts_first_seen ON posts (first_seen);
CREATE INDEX posts_author ON posts (author_id);
CREATE INDEX posts_music ON posts (music_id);
COMMENT ON TABLE posts IS 'One row a post, as it was delivered last.';
COMMENT ON COLUMN posts.post_id IS 'TikTok''s id (itemInfos.id); ids order by time';
COMMENT ON COLUMN posts.text IS 'caption with its hashtags and mentions; may be empty; NUL characters dropped';
COMMENT ON COLUMN posts.created_at IS 'when the post was made (itemInfos.createTime, UTC); null where that is no believable time';
COMMENT ON COLUMN posts.author_id IS 'author (authors.author_id)';
COMMENT ON COLUMN posts.music_id IS 'sound (music.music_id)';
COMMENT ON COLUMN posts.duet_of_post_id IS 'the post that this one is a duet with; null where it is none';
COMMENT ON COLUMN posts.like_count IS 'likes when delivered last (likes); null where unknown';
COMMENT ON COLUMN posts.share_count IS 'shares when delivered last (shares); null where unknown';
COMMENT ON COLUMN posts.comment_count IS 'comments when delivered last (comments); null where unknown';
COMMENT ON COLUMN posts.play_count IS 'plays when delivered last (plays); null where unknown, as in records collected before February 2020';
COMMENT ON COLUMN posts.duration_seconds IS 'length of the video (seconds)';
COMMENT ON COLUMN posts.width_pixels IS 'width of the video (pixels)';
COMMENT ON COLUMN posts.height_pixels IS 'height of the video (pixels)';
COMMENT ON COLUMN posts.is_original IS 'itemInfos.isOriginal';
COMMENT ON COLUMN posts.is_official IS 'itemInfos.isOfficial';
COMMENT ON COLUMN posts.is_activity_item IS 'itemInfos.isActivityItem';
COMMENT ON COLUMN posts.first_seen IS 'event time of the first delivery (time_stamp, UTC)';
COMMENT ON COLUMN posts.last_seen IS 'event time of the delivery that this row shows (time_stamp, UTC)';
COMMENT ON COLUMN posts.kafka_partition IS 'Kafka partition of that delivery, to find it in the archive';
COMMENT ON COLUMN posts.kafka_offset IS 'Kafka offset of that delivery, to find it in the archive';

CREATE TABLE authors (
    author_id       bigint      PRIMARY KEY CHECK (author_id > 0),
    unique_id       text,
    nickname        text,
    signature       text,
    sec_uid         text,
    is_verified     boolean,
    is_secret       boolean,
    following_count bigint,
    follower_count  bigint,
    heart_count     bigint,
    video_count     bigint,
    like_count      bigint,
    first_seen      timestamptz NOT NULL,
    last_seen       timestamptz NOT NULL CHECK (last_seen >= first_seen),
    kafka_partition integer     NOT NULL,
    kafka_offset    bigint      NOT NULL
);
CREATE INDEX authors_unique_id ON authors (unique_id);
COMMENT ON TABLE authors IS 'One row an author, as delivered last with one of their posts.';
COMMENT ON COLUMN authors.author_id IS 'TikTok''s id (authorInfos.userId)';
COMMENT ON COLUMN authors.unique_id IS 'name in links: https://www.tiktok.com/@<unique_id>; may change';
COMMENT ON COLUMN authors.nickname IS 'name shown (authorInfos.nickName)';
COMMENT ON COLUMN authors.signature IS 'what the author says about themselves';
COMMENT ON COLUMN authors.sec_uid IS 'TikTok''s second, opaque id (authorInfos.secUid)';
COMMENT ON COLUMN authors.is_verified IS 'whether TikTok verified the account';
COMMENT ON COLUMN authors.is_secret IS 'whether the account is private';
COMMENT ON COLUMN authors.following_count IS 'accounts that the author follows (accounts); null where unknown';
COMMENT ON COLUMN authors.follower_count IS 'followers (accounts); null where unknown';
COMMENT ON COLUMN authors.heart_count IS 'likes received on all posts (likes); null where unknown';
COMMENT ON COLUMN authors.video_count IS 'posts made (posts); null where unknown';
COMMENT ON COLUMN authors.like_count IS 'likes given (authorStats.diggCount, likes); null where unknown';
COMMENT ON COLUMN authors.first_seen IS 'event time of the first delivery (time_stamp, UTC)';
COMMENT ON COLUMN authors.last_seen IS 'event time of the delivery that this row shows (time_stamp, UTC)';
COMMENT ON COLUMN authors.kafka_partition IS 'Kafka partition of that delivery, to find it in the archive';
COMMENT ON COLUMN authors.kafka_offset IS 'Kafka offset of that delivery, to find it in the archive';

CREATE TABLE music (
    music_id        bigint      PRIMARY KEY CHECK (music_id > 0),
    name            text,
    author_name     text,
    is_original     boolean,
    play_url        text,
    first_seen      timestamptz NOT NULL,
    last_seen       timestamptz NOT NULL CHECK (last_seen >= first_seen),
    kafka_partition integer     NOT NULL,
    kafka_offset    bigint      NOT NULL
);
COMMENT ON TABLE music IS 'One row a sound, as delivered last with a post that uses it.';
COMMENT ON COLUMN music.music_id IS 'TikTok''s id (musicInfos.musicId)';
COMMENT ON COLUMN music.name IS 'title';
COMMENT ON COLUMN music.author_name IS 'who made it, as text';
COMMENT ON COLUMN music.is_original IS 'whether it is an original sound; TikTok writes false as an empty text';
COMMENT ON COLUMN music.play_url IS 'first address of the sound; null where there is none';
COMMENT ON COLUMN music.first_seen IS 'event time of the first delivery (time_stamp, UTC)';
COMMENT ON COLUMN music.last_seen IS 'event time of the delivery that this row shows (time_stamp, UTC)';
COMMENT ON COLUMN music.kafka_partition IS 'Kafka partition of that delivery, to find it in the archive';
COMMENT ON COLUMN music.kafka_offset IS 'Kafka offset of that delivery, to find it in the archive';

CREATE TABLE challenges (
    challenge_id    bigint      PRIMARY KEY CHECK (challenge_id > 0),
    name            text,
    description     text,
    split_title     text,
    is_commerce     boolean,
    first_seen      timestamptz NOT NULL,
    last_seen       timestamptz NOT NULL CHECK (last_seen >= first_seen),
    kafka_partition integer     NOT NULL,
    kafka_offset    bigint      NOT NULL
);
CREATE INDEX challenges_name ON challenges (name);
COMMENT ON TABLE challenges IS 'One row a challenge (a hashtag with a page of its own), as delivered last with one of its posts.';
COMMENT ON COLUMN challenges.challenge_id IS 'TikTok''s id (challengeInfoList[].challengeId)';
COMMENT ON COLUMN challenges.name IS 'the hashtag without #';
COMMENT ON COLUMN challenges.description IS 'text of its page (challengeInfoList[].text)';
COMMENT ON COLUMN challenges.split_title IS 'challengeInfoList[].splitTitle';
COMMENT ON COLUMN challenges.is_commerce IS 'whether it is an advertisement';
COMMENT ON COLUMN challenges.first_seen IS 'event time of the first delivery (time_stamp, UTC)';
COMMENT ON COLUMN challenges.last_seen IS 'event time of the delivery that this row shows (time_stamp, UTC)';
COMMENT ON COLUMN challenges.kafka_partition IS 'Kafka partition of that delivery, to find it in the archive';
COMMENT ON COLUMN challenges.kafka_offset IS 'Kafka offset of that delivery, to find it in the archive';

CREATE TABLE post_challenges (
    post_id      bigint      NOT NULL CHECK (post_id > 0),
    challenge_id bigint      NOT NULL CHECK (challenge_id > 0),
    first_seen   timestamptz NOT NULL,
    last_seen    timestamptz NOT NULL CHECK (last_seen >= first_seen),
    PRIMARY KEY (post_id, challenge_id)
);
CREATE INDEX post_challenges_challenge ON post_challenges (challenge_id);
COMMENT ON TABLE post_challenges IS 'Which post takes part in which challenge, in any of its deliveries; in the newest one where last_seen equals that of the post.';
COMMENT ON COLUMN post_challenges.post_id IS 'the post (posts.post_id)';
COMMENT ON COLUMN post_challenges.challenge_id IS 'the challenge (challenges.challenge_id)';
COMMENT ON COLUMN post_challenges.first_seen IS 'event time of the first delivery that names both (UTC)';
COMMENT ON COLUMN post_challenges.last_seen IS 'event time of the last delivery that names both (UTC)';

CREATE TABLE batch_days (
    day           date        PRIMARY KEY,
    loaded_at     timestamptz,
    loaded_posts  bigint      CHECK (loaded_posts >= 0),
    status        text        CHECK (status IN ('fitted', 'empty')),
    fitted_at     timestamptz CHECK ((fitted_at IS NULL) = (status IS NULL)),
    counted_posts bigint      CHECK (counted_posts >= 0),
    keywords      bigint      CHECK (keywords >= 0)
);
COMMENT ON TABLE batch_days IS 'Ledger of the daily batch: what was done for which day.';
COMMENT ON COLUMN batch_days.day IS 'the day (UTC date of event time)';
COMMENT ON COLUMN batch_days.loaded_at IS 'when the load step was done last (wall clock); null: never';
COMMENT ON COLUMN batch_days.loaded_posts IS 'distinct posts that the load step found in the archive for the day (posts)';
COMMENT ON COLUMN batch_days.status IS 'fitted: statistics were learned from the day; empty: the day is over and has no posts; null: the statistics step was not done';
COMMENT ON COLUMN batch_days.fitted_at IS 'when the statistics step was done last (wall clock)';
COMMENT ON COLUMN batch_days.counted_posts IS 'distinct posts per window, summed over the windows of the day (posts)';
COMMENT ON COLUMN batch_days.keywords IS 'rows that the day has in keyword_statistics (keywords)';
