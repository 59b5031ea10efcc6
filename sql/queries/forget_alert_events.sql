-- Delete changes of alerts that are older than so many days.
DELETE FROM alert_events WHERE happened_at < now() - %(days)s * interval '1 day'
