-- What detection knows of the past: one row a keyword and day, one row an hour of the day and day.

CREATE TABLE keyword_statistics (
    as_of          date   NOT NULL,
    keyword        text   NOT NULL CHECK (keyword <> ''),
    level          real   NOT NULL,
    hour_deviation real[] CHECK (hour_deviation IS NULL OR cardinality(hour_deviation) = 24),
    variance       real   NOT NULL CHECK (variance >= 0),
    burst          real   NOT NULL CHECK (burst >= 0),
    spread60       real   NOT NULL CHECK (spread60 >= 0),
    last_seen      date,
    PRIMARY KEY (as_of, keyword)
) PARTITION BY LIST (as_of);
COMMENT ON TABLE keyword_statistics IS 'What is usual for a keyword, learned up to the end of a day; a keyword without a row has level 1.224745, variance 0, burst 1, spread60 1. One partition a day.';
COMMENT ON COLUMN keyword_statistics.as_of IS 'last day that was learned from (UTC date)';
COMMENT ON COLUMN keyword_statistics.keyword IS 'the keyword, as the keyword rule writes it';
COMMENT ON COLUMN keyword_statistics.level IS 'mean of 2*sqrt(posts + 3/8) per 15-minute window at normal traffic (square-root posts); typical posts = level^2/4 - 3/8';
COMMENT ON COLUMN keyword_statistics.hour_deviation IS 'own deviation from level by UTC hour 0 to 23 (square-root posts); null where fewer than 0.5 posts a window are typical';
COMMENT ON COLUMN keyword_statistics.variance IS 'variance of the residual (square-root posts, squared)';
COMMENT ON COLUMN keyword_statistics.burst IS 'how much heavier the peaks of the keyword are than its variance says (ratio)';
COMMENT ON COLUMN keyword_statistics.spread60 IS 'how much wider the residual of an hour is than that of a window (ratio of variances)';
COMMENT ON COLUMN keyword_statistics.last_seen IS 'last day with a post of the keyword (UTC date)';

CREATE TABLE traffic_statistics (
    as_of          date     NOT NULL,
    hour           smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    expected_posts real     NOT NULL CHECK (expected_posts >= 0),
    history_days   real     NOT NULL CHECK (history_days >= 0),
    PRIMARY KEY (as_of, hour)
);
COMMENT ON TABLE traffic_statistics IS 'How many posts of all keywords a window of each hour usually holds; 24 rows a learned day. Their presence says that the day is complete in keyword_statistics.';
COMMENT ON COLUMN traffic_statistics.as_of IS 'last day that was learned from (UTC date)';
COMMENT ON COLUMN traffic_statistics.hour IS 'hour of the day, UTC, 0 to 23';
COMMENT ON COLUMN traffic_statistics.expected_posts IS 'posts expected in one 15-minute window of that hour';
COMMENT ON COLUMN traffic_statistics.history_days IS 'days of history of the whole system, outages not counted (days)';
