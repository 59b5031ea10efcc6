-- depends: 0050.dominant-keywords
-- Which keyword rule statistics and detection go by, so that a new rule makes no flood.

ALTER TABLE traffic_statistics ADD COLUMN keyword_rule text NOT NULL DEFAULT 'keywords-1';
ALTER TABLE traffic_statistics ALTER COLUMN keyword_rule DROP DEFAULT;
COMMENT ON COLUMN traffic_statistics.keyword_rule IS 'version of the keyword rule that the day was learned by; with an older one, keywords without statistics are judged as on a first day';

ALTER TABLE detect_clock ADD COLUMN keyword_rule text NOT NULL DEFAULT 'keywords-1';
ALTER TABLE detect_clock ALTER COLUMN keyword_rule DROP DEFAULT;
COMMENT ON COLUMN detect_clock.keyword_rule IS 'version of the keyword rule that detection counted by; the windows counted by an older one are no past of later ones';

COMMENT ON COLUMN anomaly_alerts.rule_version IS 'versions of the keyword rule and of the score that decided it, such as keywords-2 score-4';
