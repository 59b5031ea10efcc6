-- depends: 0002.alerts
-- What would have alerted by its count and was kept back.

CREATE TABLE vetoed_windows (
    keyword          text        NOT NULL CHECK (keyword <> ''),
    window_start     timestamptz NOT NULL,
    reason           text        NOT NULL CHECK (reason IN ('few authors')),
    posts            integer     NOT NULL CHECK (posts >= 0),
    distinct_authors real        NOT NULL,
    expected         real        NOT NULL,
    score            real        NOT NULL,
    top_post_id      bigint      NOT NULL,
    PRIMARY KEY (window_start, keyword)
);
COMMENT ON TABLE vetoed_windows IS 'Windows whose count is an anomaly and that raised no alert, with the reason; one row a keyword and closed window.';
COMMENT ON COLUMN vetoed_windows.keyword IS 'the keyword, as the keyword rule writes it';
COMMENT ON COLUMN vetoed_windows.window_start IS 'start of the 15-minute window (event time, UTC)';
COMMENT ON COLUMN vetoed_windows.reason IS 'few authors: 1.25 times the estimated authors would be no anomaly';
COMMENT ON COLUMN vetoed_windows.posts IS 'distinct posts with the keyword (posts)';
COMMENT ON COLUMN vetoed_windows.distinct_authors IS 'estimated distinct authors (authors)';
COMMENT ON COLUMN vetoed_windows.expected IS 'posts that were expected (posts)';
COMMENT ON COLUMN vetoed_windows.score IS 'score of the count (standard deviations of square-root posts)';
COMMENT ON COLUMN vetoed_windows.top_post_id IS 'id of the most liked post';
