-- Delete the posts stored for the alerts %(alert_ids)s.
DELETE FROM alert_evidence WHERE alert_id = ANY (%(alert_ids)s::uuid[])
