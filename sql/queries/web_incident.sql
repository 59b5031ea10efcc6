-- One incident.
SELECT incident_id, keyword, status, opened_window, last_window, posts, members
FROM incidents
WHERE incident_id = %(incident_id)s::uuid
