-- Version 2 of the keyword rule: every watchlist entry is normalized again, and a function word can be watched.
-- depends: 0040.collected

UPDATE watchlist SET keyword = NULL, problem = NULL;

COMMENT ON COLUMN anomaly_alerts.rule_version IS 'versions of the keyword rule and of the score that decided it, such as keywords-2 score-3';
