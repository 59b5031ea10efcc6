-- depends: 0003.entities
-- What the load step writes beside the newest version of things: how counts went, hashtags, and the keywords of recent days.
-- Tables with a column `day` are partitioned by it: a partition follows from the archived records of its day alone, so that a day
-- that is loaded again replaces its partition whole. The batch makes partitions and drops those that are no longer kept.

CREATE TABLE post_stats (
    day           date        NOT NULL,
    post_id       bigint      NOT NULL CHECK (post_id > 0),
    seen_at       timestamptz NOT NULL,
    play_count    bigint,
    like_count    bigint,
    share_count   bigint,
    comment_count bigint,
    author_id     bigint,
    music_id      bigint,
    challenge_ids bigint[]    NOT NULL DEFAULT '{}',
    PRIMARY KEY (post_id, seen_at, day)
) PARTITION BY LIST (day);
CREATE INDEX post_stats_author ON post_stats (author_id, seen_at);
CREATE INDEX post_stats_music ON post_stats (music_id);
COMMENT ON TABLE post_stats IS 'History of the counts of a post: its first delivery on a day, and each later one on which something in the row had changed. One partition a day; GROUNDSWELL_HISTORY_KEEP_DAYS says how many are kept.';
COMMENT ON COLUMN post_stats.day IS 'day of seen_at (UTC date)';
COMMENT ON COLUMN post_stats.post_id IS 'the post (posts.post_id)';
COMMENT ON COLUMN post_stats.seen_at IS 'event time of the delivery (time_stamp, UTC); of several at the same time the one that Kafka took last';
COMMENT ON COLUMN post_stats.play_count IS 'plays (plays); null where unknown, as in records collected before February 2020';
COMMENT ON COLUMN post_stats.like_count IS 'likes (likes); null where unknown';
COMMENT ON COLUMN post_stats.share_count IS 'shares (shares); null where unknown';
COMMENT ON COLUMN post_stats.comment_count IS 'comments (comments); null where unknown';
COMMENT ON COLUMN post_stats.author_id IS 'author as that delivery names them (authors.author_id), here again so that a day can be summed by itself; null where unknown';
COMMENT ON COLUMN post_stats.music_id IS 'sound as that delivery names it (music.music_id); null where unknown';
COMMENT ON COLUMN post_stats.challenge_ids IS 'challenges as that delivery names them (challenges.challenge_id), in order; empty where there are none';

CREATE TABLE author_stats (
    day             date        NOT NULL,
    author_id       bigint      NOT NULL CHECK (author_id > 0),
    seen_at         timestamptz NOT NULL,
    follower_count  bigint,
    following_count bigint,
    heart_count     bigint,
    video_count     bigint,
    like_count      bigint,
    PRIMARY KEY (author_id, seen_at, day)
) PARTITION BY LIST (day);
COMMENT ON TABLE author_stats IS 'History of the counts of an author: the first delivery on a day that tells any, and each later one on which a count had changed. One partition a day; GROUNDSWELL_HISTORY_KEEP_DAYS says how many are kept.';
COMMENT ON COLUMN author_stats.day IS 'day of seen_at (UTC date)';
COMMENT ON COLUMN author_stats.author_id IS 'the author (authors.author_id)';
COMMENT ON COLUMN author_stats.seen_at IS 'event time of the delivery (time_stamp, UTC); of several at the same time the one that Kafka took last';
COMMENT ON COLUMN author_stats.follower_count IS 'followers (accounts); null where unknown';
COMMENT ON COLUMN author_stats.following_count IS 'accounts that the author follows (accounts); null where unknown';
COMMENT ON COLUMN author_stats.heart_count IS 'likes received on all posts (likes); null where unknown';
COMMENT ON COLUMN author_stats.video_count IS 'posts made (posts); null where unknown';
COMMENT ON COLUMN author_stats.like_count IS 'likes given (likes); null where unknown';

CREATE TABLE hashtags (
    hashtag       text        COLLATE "C" PRIMARY KEY CHECK (hashtag <> ''),
    hashtag_id    bigint,
    first_post_id bigint      NOT NULL CHECK (first_post_id > 0),
    first_seen    timestamptz NOT NULL,
    last_seen     timestamptz NOT NULL CHECK (last_seen >= first_seen)
);
CREATE INDEX hashtags_first_seen ON hashtags (first_seen);
COMMENT ON TABLE hashtags IS 'One row a hashtag, from captions and from the list of tags beside them (textExtra).';
COMMENT ON COLUMN hashtags.hashtag IS 'the hashtag without #, composed and folded as keywords are (NFKC, case), at most 64 characters';
COMMENT ON COLUMN hashtags.hashtag_id IS 'TikTok''s id (textExtra[].HashtagId), the smallest where there were several; null where none was told';
COMMENT ON COLUMN hashtags.first_post_id IS 'the post with which it was seen first (posts.post_id); of several at the same time the one with the smallest id';
COMMENT ON COLUMN hashtags.first_seen IS 'event time of the first delivery with it (UTC)';
COMMENT ON COLUMN hashtags.last_seen IS 'event time of the last delivery with it (UTC)';

CREATE TABLE post_hashtags (
    day           date    NOT NULL,
    hashtag       text    COLLATE "C" NOT NULL CHECK (hashtag <> ''),
    post_id       bigint  NOT NULL CHECK (post_id > 0),
    in_text       boolean NOT NULL,
    in_text_extra boolean NOT NULL CHECK (in_text OR in_text_extra),
    PRIMARY KEY (post_id, hashtag, day)
) PARTITION BY LIST (day);
CREATE INDEX post_hashtags_hashtag ON post_hashtags (hashtag);
COMMENT ON TABLE post_hashtags IS 'Which post carried which hashtag in any of its deliveries of a day. One partition a day; GROUNDSWELL_HISTORY_KEEP_DAYS says how many are kept.';
COMMENT ON COLUMN post_hashtags.day IS 'day of the deliveries (UTC date of event time)';
COMMENT ON COLUMN post_hashtags.hashtag IS 'the hashtag (hashtags.hashtag)';
COMMENT ON COLUMN post_hashtags.post_id IS 'the post (posts.post_id)';
COMMENT ON COLUMN post_hashtags.in_text IS 'whether the caption has it, written with #';
COMMENT ON COLUMN post_hashtags.in_text_extra IS 'whether the list of tags beside the caption has it (textExtra of Type 1)';

CREATE TABLE post_keywords (
    day     date   NOT NULL,
    post_id bigint NOT NULL CHECK (post_id > 0),
    keyword text   COLLATE "C" NOT NULL CHECK (keyword <> ''),
    PRIMARY KEY (post_id, keyword, day)
) PARTITION BY LIST (day);
CREATE INDEX post_keywords_keyword ON post_keywords USING brin (keyword) WITH (pages_per_range = 16);
COMMENT ON TABLE post_keywords IS 'Which post carried which keyword in any of its deliveries of a day, for recent days. One partition a day, its rows in order of keyword; GROUNDSWELL_KEYWORDS_KEEP_DAYS says how many are kept.';
COMMENT ON COLUMN post_keywords.day IS 'day of the deliveries (UTC date of event time)';
COMMENT ON COLUMN post_keywords.post_id IS 'the post (posts.post_id)';
COMMENT ON COLUMN post_keywords.keyword IS 'the keyword, as the keyword rule writes it';
