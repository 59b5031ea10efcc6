-- Take the alerts %(alert_ids)s out of their incidents.
DELETE FROM incident_members WHERE alert_id = ANY (%(alert_ids)s::uuid[])
