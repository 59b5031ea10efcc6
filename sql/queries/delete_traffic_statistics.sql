-- Delete the traffic that was learned as of a day.
DELETE FROM traffic_statistics WHERE as_of = %(as_of)s
