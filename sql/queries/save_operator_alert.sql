-- Open an alert for the operator, or refresh the one of its kind and subject that is open.
INSERT INTO operator_alerts AS kept (kind, subject, value, "limit", message)
VALUES (%(kind)s, %(subject)s, %(value)s, %(limit)s, %(message)s)
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL DO UPDATE SET
    last_seen_at = greatest(kept.opened_at, excluded.last_seen_at),
    value = excluded.value,
    "limit" = excluded."limit",
    message = excluded.message
