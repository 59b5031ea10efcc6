-- Store the threshold of one scope, with the alerts that it opens in the replayed days.
INSERT INTO detection_thresholds (as_of, scope, alerts_per_day, threshold, replayed_days, replayed_per_day)
VALUES (%(as_of)s, %(scope)s, %(alerts_per_day)s, %(threshold)s, %(replayed_days)s, %(replayed_per_day)s)
