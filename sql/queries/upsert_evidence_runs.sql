-- Record which posts the evidence of an alert was made from; absolute values except for the number of runs.
-- Writes nothing for an alert that does not exist any more.
INSERT INTO evidence_runs AS kept (alert_id, posts, final, post_ids, authors, texts)
SELECT alert_id, %(posts)s, status = 'resolved', %(post_ids)s::bigint[], %(authors)s, %(texts)s
FROM anomaly_alerts
WHERE alert_id = %(alert_id)s
ON CONFLICT (alert_id) DO UPDATE SET
    posts = excluded.posts,
    final = excluded.final,
    post_ids = excluded.post_ids,
    authors = excluded.authors,
    texts = excluded.texts,
    runs = kept.runs + 1,
    computed_at = now()
