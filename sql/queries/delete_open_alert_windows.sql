-- Delete the windows of the alerts %(alert_ids)s that are not closed; those that still belong to an alert are written again.
DELETE FROM alert_windows WHERE alert_id = ANY (%(alert_ids)s) AND NOT closed
