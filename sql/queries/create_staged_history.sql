-- Create the staging tables without a table of their own shape: hashtags with source and time, and keywords.
-- Unlogged.
DROP TABLE IF EXISTS staging.post_hashtags, staging.post_keywords;
CREATE UNLOGGED TABLE staging.post_hashtags (
    post_id       bigint      NOT NULL,
    hashtag       text        COLLATE "C" NOT NULL,
    hashtag_id    bigint,
    in_text       boolean     NOT NULL,
    in_text_extra boolean     NOT NULL,
    seen_at       timestamptz NOT NULL
);
CREATE UNLOGGED TABLE staging.post_keywords (
    post_id bigint NOT NULL,
    keyword text   COLLATE "C" NOT NULL
);
