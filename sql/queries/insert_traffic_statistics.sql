-- Store the traffic expected in one hour, learned up to the end of a day.
INSERT INTO traffic_statistics (as_of, hour, expected_posts, history_days, keyword_rule)
VALUES (%(as_of)s, %(hour)s, %(expected_posts)s, %(history_days)s, %(keyword_rule)s)
