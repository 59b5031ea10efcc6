-- What was counted so far is no past of later windows: a new keyword rule counts other keywords.
DELETE FROM past_counts;
UPDATE traffic_windows SET before_restart = true WHERE NOT before_restart
