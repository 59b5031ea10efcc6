-- The posts behind some alerts; a post that several roles or alerts name once, its roles in their order.
SELECT post_id, min(author_name) AS author_name, min(text) AS text, max(likes) AS likes, min(posted_at) AS posted_at,
       min(link) AS link, array_agg(DISTINCT role) AS roles
FROM alert_evidence
WHERE alert_id = ANY(%(alert_ids)s::uuid[])
GROUP BY post_id
ORDER BY max(likes) DESC NULLS LAST, min(posted_at), post_id
LIMIT %(most)s
