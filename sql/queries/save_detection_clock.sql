-- Set the detection clock; seen_at moves only if the newest event is %(newer)s than before (true or false).
INSERT INTO detect_clock (max_event_time, closed_until, keyword_rule)
VALUES (%(max_event_time)s, %(closed_until)s, %(keyword_rule)s)
ON CONFLICT (singleton) DO UPDATE SET
    max_event_time = excluded.max_event_time,
    closed_until = excluded.closed_until,
    keyword_rule = excluded.keyword_rule,
    seen_at = CASE WHEN %(newer)s THEN now() ELSE detect_clock.seen_at END
