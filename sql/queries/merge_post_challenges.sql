-- Merge staging.post_challenges into post_challenges: the time span widens, pairs are never removed.
MERGE INTO post_challenges AS kept
USING (
    SELECT post_id, challenge_id, min(first_seen) AS first_seen, max(last_seen) AS last_seen,
           max(collected_at) AS collected_at
    FROM staging.post_challenges
    GROUP BY post_id, challenge_id
) AS new ON kept.post_id = new.post_id AND kept.challenge_id = new.challenge_id
WHEN MATCHED
    AND (new.first_seen < kept.first_seen OR new.last_seen > kept.last_seen OR new.collected_at > kept.collected_at)
THEN UPDATE SET
    first_seen = least(kept.first_seen, new.first_seen),
    last_seen = greatest(kept.last_seen, new.last_seen),
    collected_at = greatest(kept.collected_at, new.collected_at)
WHEN NOT MATCHED
THEN INSERT (post_id, challenge_id, first_seen, last_seen, collected_at)
VALUES (new.post_id, new.challenge_id, new.first_seen, new.last_seen, new.collected_at)
