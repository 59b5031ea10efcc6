-- Delete the terms stored for the alerts %(alert_ids)s.
DELETE FROM alert_terms WHERE alert_id = ANY (%(alert_ids)s::uuid[])
