-- depends: 0006.second-look
-- What people tell detection: what is planned, what an alert was, what they watch; and windows in which ingest was down.

CREATE TABLE calendar (
    keyword   text        NOT NULL CHECK (keyword <> ''),
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL CHECK (ends_at > starts_at),
    note      text,
    PRIMARY KEY (keyword, starts_at)
);
COMMENT ON TABLE calendar IS 'What is expected: no alert of the keyword opens in these times; what would have is a row of vetoed_windows.';
COMMENT ON COLUMN calendar.keyword IS 'the keyword, as the keyword rule writes it';
COMMENT ON COLUMN calendar.starts_at IS 'from when on (event time, UTC)';
COMMENT ON COLUMN calendar.ends_at IS 'until when (event time, UTC)';
COMMENT ON COLUMN calendar.note IS 'what is planned';

CREATE TABLE watchlist (
    phrase    text    PRIMARY KEY CHECK (phrase <> ''),
    keyword   text,
    threshold real    NOT NULL DEFAULT 4.5 CHECK (threshold BETWEEN 4.25 AND 20),
    silence   boolean NOT NULL DEFAULT false,
    note      text,
    problem   text
);
COMMENT ON TABLE watchlist IS 'Keywords and phrases that somebody watches: with a threshold of their own, and if wanted with an alarm when they fall silent.';
COMMENT ON COLUMN watchlist.phrase IS 'one to four words, as a person writes them';
COMMENT ON COLUMN watchlist.keyword IS 'the same as the keyword rule writes it; filled in by the stream within a minute';
COMMENT ON COLUMN watchlist.threshold IS 'score from which a window alarms; 4.5 is more watchful than open discovery';
COMMENT ON COLUMN watchlist.silence IS 'whether far fewer posts than expected are an alarm too (silence_alerts)';
COMMENT ON COLUMN watchlist.note IS 'why it is watched';
COMMENT ON COLUMN watchlist.problem IS 'why it cannot be watched as it is written; null: it can';

CREATE TABLE silence_alerts (
    keyword       text        NOT NULL CHECK (keyword <> ''),
    opened_window timestamptz NOT NULL,
    last_window   timestamptz NOT NULL CHECK (last_window >= opened_window),
    resolved_at   timestamptz,
    posts         bigint      NOT NULL CHECK (posts >= 0),
    expected      real        NOT NULL CHECK (expected >= 0),
    lowest_score  real        NOT NULL,
    PRIMARY KEY (keyword, opened_window)
);
COMMENT ON TABLE silence_alerts IS 'One row a time in which a watched keyword was posted far less often than its history says, while posts came in as usual.';
COMMENT ON COLUMN silence_alerts.keyword IS 'the keyword';
COMMENT ON COLUMN silence_alerts.opened_window IS 'start of its first window (event time, UTC)';
COMMENT ON COLUMN silence_alerts.last_window IS 'start of its last window (event time, UTC)';
COMMENT ON COLUMN silence_alerts.resolved_at IS 'start of the first window with posts again (event time, UTC); null while it lasts';
COMMENT ON COLUMN silence_alerts.posts IS 'posts in its windows; a window of fewer than three counts as two, the most it can hold (posts)';
COMMENT ON COLUMN silence_alerts.expected IS 'posts that were expected in them (posts)';
COMMENT ON COLUMN silence_alerts.lowest_score IS 'lowest score of a window (standard deviations of square-root posts, negative)';

CREATE TABLE alert_labels (
    alert_id    uuid        PRIMARY KEY REFERENCES anomaly_alerts ON DELETE CASCADE,
    label       text        NOT NULL CHECK (label IN ('real', 'expected', 'spam', 'wrong sense', 'new normal')),
    note        text,
    labelled_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE alert_labels IS 'What people say an alert was; each label has one effect when its day is fitted.';
COMMENT ON COLUMN alert_labels.alert_id IS 'the incident';
COMMENT ON COLUMN alert_labels.label IS 'real, spam: its windows teach nothing; expected: its hours are learned at once; new normal: its height becomes the level; wrong sense: the scale widens until it would not have alarmed';
COMMENT ON COLUMN alert_labels.note IS 'in a person''s words';
COMMENT ON COLUMN alert_labels.labelled_at IS 'when it was labelled (wall clock)';

ALTER TABLE vetoed_windows DROP CONSTRAINT vetoed_windows_reason_check;
ALTER TABLE vetoed_windows ADD CONSTRAINT vetoed_windows_reason_check CHECK (reason IN ('few authors', 'calendar'));
COMMENT ON COLUMN vetoed_windows.reason IS 'few authors: 1.25 times the estimated authors would be no anomaly; calendar: it was planned';

ALTER TABLE traffic_windows ADD COLUMN degraded boolean;
COMMENT ON COLUMN traffic_windows.degraded IS 'whether fewer than a quarter of the expected posts came in, so that silence says nothing; null while the window is open or nothing is known of the hour';
ALTER TABLE anomaly_alerts ADD COLUMN degraded boolean NOT NULL DEFAULT false;
ALTER TABLE anomaly_alerts ALTER COLUMN degraded DROP DEFAULT;
COMMENT ON COLUMN anomaly_alerts.degraded IS 'whether fewer than a quarter of the expected posts of all keywords came in one of its closed windows: judge with care';
