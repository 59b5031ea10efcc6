-- Delete the thresholds that were set as of a day.
DELETE FROM detection_thresholds WHERE as_of = %(as_of)s
