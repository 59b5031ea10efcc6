-- Forgets counts that fell to what is usual as their window filled.
DELETE FROM live_counts
USING unnest(%(starts)s::timestamptz[], %(keywords)s::text[]) AS usual (window_start, keyword)
WHERE live_counts.window_start = usual.window_start AND live_counts.keyword = usual.keyword
