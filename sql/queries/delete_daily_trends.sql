-- Delete the trends of a day.
DELETE FROM daily_trends WHERE day = %(day)s
