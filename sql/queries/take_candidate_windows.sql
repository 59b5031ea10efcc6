-- Takes the staged candidates of %(day)s over in place of those that stand there, and forgets what is older than %(oldest)s.
DELETE FROM candidate_windows WHERE day = %(day)s OR day < %(oldest)s;
INSERT INTO candidate_windows SELECT * FROM staging.candidate_windows
