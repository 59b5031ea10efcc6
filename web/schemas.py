"""What the API answers, for OpenAPI; ids are strings, moments are RFC 3339 in UTC, unknown is null."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, Field


class Alert(BaseModel):
    """An alert; docs/tables.md describes each column of anomaly_alerts."""

    alert_id: UUID
    keyword: str = Field(examples=["flood"])
    status: str
    provisional: bool
    severity: str
    origin: str | None
    opened_by: str
    judged_by: str
    degraded: bool
    posts: int
    expected: float
    distinct_authors: int | None
    distinct_texts: int | None
    authors_counted: bool = Field(description="whether authors and texts are counted rather than estimated")
    peak_score: float
    threshold_ratio: float
    first_post_at: datetime | None
    opened_window: datetime
    last_window: datetime
    resolved_at: datetime | None
    updated_at: datetime
    statistics_as_of: date | None
    rule_version: str
    top_post_id: str | None
    top_post: str | None
    incident_id: UUID | None
    label: str | None
    watched: bool


class Alerts(BaseModel):
    """A page of alerts, newest first."""

    alerts: list[Alert]
    next_cursor: str | None = Field(description="cursor of the next page; null: this is the last one")


class Window(BaseModel):
    """An unusual window of an alert, with what it was judged by; columns of alert_windows."""

    window_start: datetime
    posts: int
    total_posts: int | None
    ratio: float
    expected: float
    scale: float
    score: float
    threshold: float
    threshold_ratio: float
    hourly_posts: int
    hourly_expected: float
    hourly_score: float
    closed: bool


class Post(BaseModel):
    """A post behind an alert."""

    post_id: str
    roles: list[str]
    author_name: str | None
    text: str | None
    likes: int | None
    posted_at: datetime
    link: str


class Term(BaseModel):
    """What stands out in the posts of an alert; columns of alert_terms."""

    kind: str
    term: str
    name: str | None
    posts: int
    share: float
    usual_share: float
    log_odds: float
    z_score: float


class AlertDetails(Alert):
    """An alert with its reason, its windows, its posts and what stands out in them."""

    reason: str | None = Field(examples=["83 posts by 63 people in 15 minutes; 2 were expected ..."])
    windows: list[Window]
    evidence: list[Post]
    terms: list[Term]


class Incident(BaseModel):
    """An incident: alerts that share their posts."""

    incident_id: UUID
    keyword: str
    keywords: list[str] | None
    status: str
    opened_window: datetime
    last_window: datetime
    posts: int
    members: int
    updated_at: datetime


class Incidents(BaseModel):
    """A page of incidents, newest first."""

    incidents: list[Incident]
    next_cursor: str | None


class IncidentDetails(Incident):
    """An incident with its alerts, those with the most posts first."""

    alerts: list[Alert]


class Trend(BaseModel):
    """What posts of a day were about; columns of daily_trends."""

    rank: int
    key: str
    name: str
    posts: int
    authors: int
    growth_1d: float | None
    growth_7d: float | None
    growth_1h: float
    steepest_hour: int | None
    engagement_rate: float | None
    virality: float | None


class Trends(BaseModel):
    """Trends of a day and kind from a rank on."""

    day: date | None
    kind: str
    trends: list[Trend]


class Figures(BaseModel):
    """The figures of `groundswell status`."""

    figures: dict[str, list[dict[str, object]]]
