-- Delete incidents without members.
DELETE FROM incidents
WHERE NOT EXISTS (SELECT FROM incident_members AS members WHERE members.incident_id = incidents.incident_id)
