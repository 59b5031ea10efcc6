-- Forget how far detection has come: its open windows, what came before them, its clock and its offsets.
DELETE FROM live_counts;
DELETE FROM dominant_keywords;
DELETE FROM past_counts;
UPDATE traffic_windows SET before_restart = true WHERE NOT before_restart;
DELETE FROM detect_clock;
DELETE FROM pipeline_progress WHERE query = 'detect'
