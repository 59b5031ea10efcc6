-- Insert one post of an alert in a role.
INSERT INTO alert_evidence (
    alert_id, role, rank, post_id, author_id, author_name, text, likes, posted_at, link
) VALUES (
    %(alert_id)s, %(role)s, %(rank)s, %(post_id)s, %(author_id)s, %(author_name)s, %(text)s, %(likes)s, %(posted_at)s,
    %(link)s
)
