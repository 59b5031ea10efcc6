-- depends: 0048.keywords-2
-- Keywords with a large part of a window's posts: all others are judged beside them.

CREATE TABLE dominant_keywords (
    window_start timestamptz NOT NULL,
    keyword      text NOT NULL,
    PRIMARY KEY (window_start, keyword)
);
COMMENT ON TABLE dominant_keywords IS 'Keywords that had at least a twentieth of the posts of a window when their count last changed; emptied as windows close.';
COMMENT ON COLUMN dominant_keywords.window_start IS 'start of the 15-minute window (event time, UTC)';
COMMENT ON COLUMN dominant_keywords.keyword IS 'the keyword';
