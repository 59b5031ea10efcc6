-- Upsert the distinct posts per window so far; absolute values.
INSERT INTO traffic_windows (window_start, posts) VALUES %s
ON CONFLICT (window_start) DO UPDATE SET posts = excluded.posts, before_restart = false, updated_at = now()
