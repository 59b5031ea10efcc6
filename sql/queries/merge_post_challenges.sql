-- Merge staging.post_challenges into post_challenges: the time span widens, pairs are never removed.
MERGE INTO post_challenges AS kept
USING (
    SELECT post_id, challenge_id, min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM staging.post_challenges
    GROUP BY post_id, challenge_id
) AS new ON kept.post_id = new.post_id AND kept.challenge_id = new.challenge_id
WHEN MATCHED AND (new.first_seen < kept.first_seen OR new.last_seen > kept.last_seen)
THEN UPDATE SET
    first_seen = least(kept.first_seen, new.first_seen),
    last_seen = greatest(kept.last_seen, new.last_seen)
WHEN NOT MATCHED
THEN INSERT (post_id, challenge_id, first_seen, last_seen)
VALUES (new.post_id, new.challenge_id, new.first_seen, new.last_seen)
