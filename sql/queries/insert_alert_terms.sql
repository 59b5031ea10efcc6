-- Insert one term that stands out in the posts of an alert.
INSERT INTO alert_terms (
    alert_id, kind, term, name, posts, share, usual_share, log_odds, z_score
) VALUES (
    %(alert_id)s, %(kind)s, %(term)s, %(name)s, %(posts)s, %(share)s, %(usual_share)s, %(log_odds)s, %(z_score)s
)
