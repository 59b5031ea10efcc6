-- Store an incident with its current values; a row that would not change is not written.
INSERT INTO incidents AS kept (incident_id, keyword, status, opened_window, last_window, posts, members)
VALUES (
    %(incident_id)s, %(keyword)s, %(status)s, %(opened_window)s, %(last_window)s, %(posts)s, %(members)s
)
ON CONFLICT (incident_id) DO UPDATE SET
    keyword = excluded.keyword,
    status = excluded.status,
    opened_window = excluded.opened_window,
    last_window = excluded.last_window,
    posts = excluded.posts,
    members = excluded.members,
    updated_at = now()
WHERE (kept.keyword, kept.status, kept.opened_window, kept.last_window, kept.posts, kept.members)
    IS DISTINCT FROM (
        excluded.keyword, excluded.status, excluded.opened_window, excluded.last_window, excluded.posts,
        excluded.members
    )
