-- depends: 0011.trends
-- What the checks step found of each day.

CREATE TABLE quality_checks (
    day        date             NOT NULL,
    "check"    text             NOT NULL,
    value      double precision NOT NULL,
    expected   text             NOT NULL,
    passed     boolean          NOT NULL,
    blocking   boolean          NOT NULL,
    checked_at timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (day, "check")
);
CREATE INDEX quality_checks_failed ON quality_checks (day) WHERE NOT passed;
COMMENT ON TABLE quality_checks IS 'Whether the tables of a day are what the archive says, and whether the day was like the days before.';
COMMENT ON COLUMN quality_checks.day IS 'the day (UTC date)';
COMMENT ON COLUMN quality_checks."check" IS 'what was checked; docs/quality.md says what each means and what to do';
COMMENT ON COLUMN quality_checks.value IS 'what was found (records, posts, posts by window, hours or a share of 0 to 1, as the check says)';
COMMENT ON COLUMN quality_checks.expected IS 'what passes: a number, or from and to';
COMMENT ON COLUMN quality_checks.passed IS 'whether the value is as expected';
COMMENT ON COLUMN quality_checks.blocking IS 'whether the step fails, and the next day waits, where it did not pass; others are told';
COMMENT ON COLUMN quality_checks.checked_at IS 'when it was checked last (wall clock)';
