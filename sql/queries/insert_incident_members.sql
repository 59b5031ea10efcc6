-- Insert one alert as a member of an incident.
INSERT INTO incident_members (incident_id, alert_id, overlap) VALUES (%(incident_id)s, %(alert_id)s, %(overlap)s)
