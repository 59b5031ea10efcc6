-- depends: 0051.keyword-rule-of-statistics
-- How much a keyword jumped on its first day, so that one that jumps by nature is no news.

ALTER TABLE past_counts ADD COLUMN squared_posts double precision;
COMMENT ON COLUMN past_counts.squared_posts IS 'sum over those windows of the squared posts (posts squared); null if an older version, which did not keep it, counted some of them';

COMMENT ON COLUMN anomaly_alerts.rule_version IS 'versions of the keyword rule and of the score that decided it, such as keywords-2 score-5';
