-- depends: 0007.planned
-- A budget of alerts a day instead of a threshold: what the last days would have alarmed, and the thresholds that follow.

CREATE TABLE candidate_windows (
    day        date    NOT NULL,
    keyword    text    NOT NULL,
    number     integer NOT NULL,
    posts      integer NOT NULL,
    expected   real    NOT NULL,
    scale      real    NOT NULL,
    posts60    integer NOT NULL,
    expected60 real    NOT NULL,
    spread60   real    NOT NULL,
    authors    real    NOT NULL,
    authors60  real    NOT NULL,
    PRIMARY KEY (day, keyword, number)
);
COMMENT ON TABLE candidate_windows IS 'Windows of the last learned days that a threshold of 4.25 would count to incidents, of keywords with an anomaly at it: what thresholds for a budget are found by.';
COMMENT ON COLUMN candidate_windows.day IS 'UTC day';
COMMENT ON COLUMN candidate_windows.keyword IS 'the keyword';
COMMENT ON COLUMN candidate_windows.number IS 'number of the 15-minute window since 1970';
COMMENT ON COLUMN candidate_windows.posts IS 'distinct posts with the keyword (posts)';
COMMENT ON COLUMN candidate_windows.expected IS 'posts that the statistics of the day before expected (posts)';
COMMENT ON COLUMN candidate_windows.scale IS 'standard deviation that the keyword usually has (square-root posts)';
COMMENT ON COLUMN candidate_windows.posts60 IS 'posts of the hour that ends with the window (posts)';
COMMENT ON COLUMN candidate_windows.expected60 IS 'posts that were expected in that hour (posts)';
COMMENT ON COLUMN candidate_windows.spread60 IS 'how much wider the residual of an hour usually is than that of a window (ratio of variances)';
COMMENT ON COLUMN candidate_windows.authors IS 'estimated distinct authors of the window (authors); Infinity: too many to tell';
COMMENT ON COLUMN candidate_windows.authors60 IS 'estimated distinct authors of the hour (authors); Infinity: too many to tell';

CREATE TABLE detection_thresholds (
    as_of            date NOT NULL,
    scope            text NOT NULL CHECK (scope IN ('discovery', 'watched')),
    alerts_per_day   real NOT NULL CHECK (alerts_per_day > 0),
    threshold        real NOT NULL,
    replayed_days    integer NOT NULL CHECK (replayed_days > 0),
    replayed_per_day real NOT NULL,
    PRIMARY KEY (as_of, scope)
);
COMMENT ON TABLE detection_thresholds IS 'Thresholds that keep the alerts of the last days within a budget; windows of a day are judged by the newest as_of before it.';
COMMENT ON COLUMN detection_thresholds.as_of IS 'last day that was replayed (UTC date)';
COMMENT ON COLUMN detection_thresholds.scope IS 'discovery: all words that nobody watches; watched: all watched words together';
COMMENT ON COLUMN detection_thresholds.alerts_per_day IS 'the budget (alerts a day, as a mean over a week)';
COMMENT ON COLUMN detection_thresholds.threshold IS 'smallest score from 4.25 to 8 in steps of 0.05 that stays within the budget; 8 where none does';
COMMENT ON COLUMN detection_thresholds.replayed_days IS 'days that were replayed, at most 7 (days)';
COMMENT ON COLUMN detection_thresholds.replayed_per_day IS 'incidents that the threshold opens in them (alerts a day)';

ALTER TABLE watchlist ALTER COLUMN threshold DROP NOT NULL, ALTER COLUMN threshold DROP DEFAULT;
COMMENT ON COLUMN watchlist.threshold IS 'score from which a window alarms; null: that of the budget for watched words, 4.5 without one';

CREATE VIEW alert_budget AS
SELECT
    thresholds.as_of,
    thresholds.scope,
    thresholds.alerts_per_day,
    thresholds.threshold,
    thresholds.replayed_per_day,
    (
        SELECT count(*)
        FROM anomaly_alerts AS alerts
        WHERE alerts.status <> 'withdrawn'
          AND alerts.opened_window >= thresholds.as_of + 1
          AND alerts.opened_window < thresholds.as_of + 2
          AND (thresholds.scope = 'watched') = EXISTS (SELECT FROM watchlist WHERE watchlist.keyword = alerts.keyword)
    ) AS alerts_next_day
FROM detection_thresholds AS thresholds
ORDER BY thresholds.as_of DESC, thresholds.scope;
COMMENT ON VIEW alert_budget IS 'The budget beside what came of it, a row a day and scope, newest first.';
COMMENT ON COLUMN alert_budget.as_of IS 'last day that was replayed (UTC date)';
COMMENT ON COLUMN alert_budget.scope IS 'discovery or watched';
COMMENT ON COLUMN alert_budget.alerts_per_day IS 'the budget (alerts a day, as a mean over a week)';
COMMENT ON COLUMN alert_budget.threshold IS 'the score that follows from it';
COMMENT ON COLUMN alert_budget.replayed_per_day IS 'incidents that it opens in the replayed days (alerts a day)';
COMMENT ON COLUMN alert_budget.alerts_next_day IS 'alerts that opened on the day after as_of, which was judged by it (alerts)';
