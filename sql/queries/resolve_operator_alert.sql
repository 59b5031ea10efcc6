-- An alert for the operator is over.
UPDATE operator_alerts
SET resolved_at = greatest(opened_at, now())
WHERE kind = %(kind)s AND subject = %(subject)s AND resolved_at IS NULL
