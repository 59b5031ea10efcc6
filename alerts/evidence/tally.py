"""Posts with terms in a scratch database: those of an alert, and how many have which term."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from alerts.evidence.alerted import AlertedPosts, Role
from alerts.evidence.posts import POSTS
from alerts.evidence.terms import MIN_POSTS, TermCount
from sql.lake import quoted


@dataclass(frozen=True, slots=True)
class EvidencePost:
    """A post in a role; `rank` starts at 1 within the role."""

    role: str
    rank: int
    post_id: int
    author_id: str | None
    author_name: str | None
    text: str | None
    likes: int | None
    posted_micros: int
    """Event time, microseconds since 1970 in UTC."""

    @property
    def link(self) -> str:
        """The post's address on TikTok."""
        return f"https://www.tiktok.com/@{self.author_name or '_'}/video/{self.post_id}"


_POSTS = """
CREATE TABLE posts AS FROM {posts}
"""
_TERMS = """
SELECT * FROM (
    SELECT "window", sampled, tags, unnest(list_concat(
        list_transform(
            list_filter(keywords, lambda word: NOT list_contains(hashtags, word)),
            lambda word: {'kind': 'word', 'term': word, 'name': NULL::VARCHAR}
        ),
        list_transform(hashtags, lambda tag: {'kind': 'hashtag', 'term': tag, 'name': NULL::VARCHAR}),
        [{'kind': 'music', 'term': music_id, 'name': music_name}],
        [{'kind': 'author', 'term': author_id, 'name': author_name}]
    ), recursive := true)
    FROM posts
) WHERE term IS NOT NULL
"""
# Posts by term and by the group in which they were counted: an alert's keyword, or '' for the sample.
_TALLIES = f"""
CREATE TABLE tallies AS
WITH tallied AS (
    SELECT kind, term, "window", keyword, sampled, count(*) AS posts, max(name) AS name
    FROM (
        SELECT * EXCLUDE (tags),
            unnest(CASE WHEN sampled THEN list_prepend('', tags) ELSE tags END) AS keyword
        FROM ({_TERMS})
    )
    GROUP BY ALL
)
FROM tallied SEMI JOIN (
    SELECT kind, term FROM tallied WHERE keyword <> '' GROUP BY kind, term, keyword
    HAVING sum(posts) >= {MIN_POSTS}
) USING (kind, term)
"""
_OF_ALERT = """
SELECT post_id, "window", event_micros, coalesce(likes, -1) AS likes,
    CASE WHEN author_id IS NOT NULL THEN hash(author_id) END AS author, hash(keywords) AS text,
    list_transform(keywords, lambda keyword: hash(keyword)) AS keywords
FROM posts WHERE list_contains(tags, {keyword}) AND "window" IN ({windows})
"""
_TERMS_OF_ALERT = f"""
SELECT kind, term, max(name) AS name,
    sum(posts) FILTER (keyword <> '') AS posts,
    coalesce(sum(posts) FILTER (keyword = ''), 0) - coalesce(sum(posts) FILTER (keyword <> '' AND sampled), 0)
        AS other_posts
FROM tallies WHERE keyword IN ('', {{keyword}}) AND "window" IN ({{windows}})
GROUP BY kind, term HAVING sum(posts) FILTER (keyword <> '') >= {MIN_POSTS}
"""
_OTHER_POSTS = """
SELECT count(*) FROM posts
WHERE sampled AND NOT list_contains(tags, {keyword}) AND "window" IN ({windows})
"""
_IN_ROLES = """
SELECT post_id, "window", author_id, author_name, text, likes, event_micros
FROM posts WHERE post_id IN ({post_ids})
"""


class PostsWithTerms:
    """The posts in `files` (`alerts.evidence.posts.write_posts`), with what is counted of all of them."""

    def __init__(self, database: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
        self._database = database
        names = ", ".join(quoted(str(file)) for file in files)
        no_posts = POSTS.empty_table()  # noqa: F841 (DuckDB finds it by its name)
        database.execute(_POSTS.format(posts=f"read_parquet([{names}])" if files else "no_posts"))
        database.execute(_TALLIES)

    def of_alert(self, keyword: str, windows: Collection[int]) -> AlertedPosts:
        """Return the posts of an alert, by its keyword and the numbers of its windows."""
        return AlertedPosts(self._ask(_OF_ALERT, keyword, windows).to_arrow_table())

    def terms(self, keyword: str, windows: Collection[int]) -> list[TermCount]:
        """Return the terms of two or more posts of an alert, in any order."""
        rows = self._ask(_TERMS_OF_ALERT, keyword, windows).fetchall()
        return [
            TermCount(kind, term, name, int(posts), int(other_posts))
            for kind, term, name, posts, other_posts in rows
        ]

    def other_posts(self, keyword: str, windows: Collection[int]) -> int:
        """Return the number of posts in the sample of some windows that do not have the keyword."""
        ((count,),) = self._ask(_OTHER_POSTS, keyword, windows).fetchall()
        return int(count)

    def in_roles(self, roles: Sequence[Role]) -> list[EvidencePost]:
        """Return the posts in their roles, with what is shown of them."""
        if not roles:
            return []
        post_ids = ", ".join(str(post_id) for _, _, (post_id, _) in roles)
        rows = self._database.execute(_IN_ROLES.format(post_ids=post_ids)).fetchall()
        shown = {(post_id, window): rest for post_id, window, *rest in rows}
        return [EvidencePost(role, rank, post[0], *shown[post]) for role, rank, post in roles]

    def _ask(self, sql: str, keyword: str, windows: Collection[int]) -> duckdb.DuckDBPyConnection:
        # Literals, because DuckDB imports pandas for parameters.
        numbers = ", ".join(map(str, sorted(windows)))
        return self._database.execute(sql.format(keyword=quoted(keyword), windows=numbers))
