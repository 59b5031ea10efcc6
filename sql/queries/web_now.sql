-- The last day of detection's clock: a row per incident, and per alert that is in none; its headline's figures.
WITH shown AS (
    SELECT alerts.*, members.incident_id, coalesce(members.incident_id, alerts.alert_id) AS entry_id,
           labels.label, watched.keyword IS NOT NULL AS watched
    FROM anomaly_alerts AS alerts
    CROSS JOIN detect_clock AS clock
    LEFT JOIN incident_members AS members ON members.alert_id = alerts.alert_id
    LEFT JOIN alert_labels AS labels ON labels.alert_id = alerts.alert_id
    LEFT JOIN (SELECT DISTINCT keyword FROM watchlist WHERE keyword IS NOT NULL) AS watched
        ON watched.keyword = alerts.keyword
    WHERE alerts.status <> 'withdrawn'
      AND (alerts.status = 'open' OR alerts.last_window >= clock.max_event_time - interval '24 hours')
), entries AS (
    SELECT entry_id, bool_or(status = 'open') AS open, min(opened_window) AS opened_window,
           max(last_window) AS last_window, max(threshold_ratio) AS threshold_ratio, bool_or(watched) AS watched,
           (array_agg(severity ORDER BY threshold_ratio DESC))[1] AS severity,
           array_agg(keyword ORDER BY posts DESC, keyword) AS keywords
    FROM shown
    GROUP BY entry_id
), headlines AS (
    SELECT DISTINCT ON (entry_id) *
    FROM shown
    ORDER BY entry_id, posts DESC, threshold_ratio DESC, length(keyword), keyword
)
SELECT headlines.incident_id, headlines.alert_id, headlines.keyword,
       array_remove(entries.keywords, headlines.keyword) AS other_keywords, entries.open, headlines.provisional,
       entries.severity, entries.watched, headlines.label, headlines.origin, headlines.degraded,
       headlines.judged_by, headlines.posts, headlines.expected, recent.distinct_authors, recent.authors_counted,
       incidents.posts AS incident_posts, entries.opened_window, entries.last_window
FROM entries
JOIN headlines USING (entry_id)
JOIN recent_alerts AS recent ON recent.alert_id = headlines.alert_id
LEFT JOIN incidents ON incidents.incident_id = headlines.incident_id
WHERE (%(state)s::text IS NULL OR entries.open = (%(state)s = 'open'))
  AND (%(severity)s::text IS NULL OR entries.severity = %(severity)s)
  AND (%(origin)s::text IS NULL OR coalesce(headlines.origin, 'unknown') = %(origin)s)
  AND (NOT %(watched)s OR entries.watched)
ORDER BY entries.open DESC, entries.opened_window DESC, entries.threshold_ratio DESC, entries.entry_id
LIMIT %(most)s
