"""The pages: each reads what it shows in one transaction and fills its template."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BeforeValidator

from alerts.explain.sentence import reason_of
from core.dropped_parts import dropped_parts
from core.settings import Settings
from core.text_keywords import text_tokens
from sql.figures import baseline_sentence, status_rows
from web import charts, reading
from web.choices import Day, Kind, Origin, Severity, State
from web.texts import word_path

router = APIRouter(include_in_schema=False)


def _none_if_empty(value: object) -> object:
    """A form gives a choice of all as an empty value."""
    return value or None


StateChoice = Annotated[State | None, BeforeValidator(_none_if_empty)]
SeverityChoice = Annotated[Severity | None, BeforeValidator(_none_if_empty)]
OriginChoice = Annotated[Origin | None, BeforeValidator(_none_if_empty)]
Skip = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/")
def now(
    request: Request,
    state: StateChoice = None,
    severity: SeverityChoice = None,
    origin: OriginChoice = None,
    watched: bool = False,
) -> Response:
    """Show what takes off now: incidents and alerts of the last day of detection's clock."""
    chosen = reading.Filter(state, severity, origin, watched)
    with reading.reading(_settings(request)) as cursor:
        entries = reading.now(cursor, chosen)
        windows = reading.windows_by_alert(cursor, [entry["alert_id"] for entry in entries])
        strip = reading.strip(cursor)
    for entry in entries:
        entry["sparkline"] = charts.sparkline(windows[entry["alert_id"]])
    baseline = baseline_sentence(strip["judged_by"], strip["learned_minutes"]) if strip["judged_by"] else None
    choices = {
        "state": (state, State),
        "severity": (severity, Severity),
        "origin": (origin, Origin),
    }
    return _page(
        request,
        "now.html",
        entries=entries,
        strip=strip,
        baseline=baseline,
        choices=choices,
        watched=watched,
        most=reading.MOST_ENTRIES,
    )


@router.get("/alerts/{alert_id}")
def alert(request: Request, alert_id: UUID) -> Response:
    """Show one alert: why it alerted, its course, the posts and people behind it, and what stands out."""
    with reading.reading(_settings(request)) as cursor:
        found = reading.alert(cursor, alert_id)
        if found is None:
            raise HTTPException(404, f"There is no alert {alert_id}; a rebuild gives the same ids again.")
        windows = reading.windows_by_alert(cursor, [alert_id])[alert_id]
        evidence = reading.evidence(cursor, [alert_id])
        terms = reading.terms(cursor, alert_id)
        together = reading.incident(cursor, found["incident_id"]) if found["incident_id"] else None
    return _page(
        request,
        "alert.html",
        alert=found,
        sentence=reason_of(found, windows, min_posts=_settings(request).min_posts) if windows else None,
        windows=windows,
        chart=charts.chart(windows, min_posts=_settings(request).min_posts),
        evidence=evidence,
        terms=terms,
        others=[other for other in together[1] if other["alert_id"] != alert_id] if together else [],
    )


@router.get("/incidents/{incident_id}")
def incident(request: Request, incident_id: UUID) -> Response:
    """Show one incident: its words, its course, and the posts behind all of them."""
    with reading.reading(_settings(request)) as cursor:
        found = reading.incident(cursor, incident_id)
        if found is None:
            raise HTTPException(404, f"There is no incident {incident_id}; its alerts may have another now.")
        incident, alerts = found
        alert_ids = [row["alert_id"] for row in alerts]
        windows = reading.windows_by_alert(cursor, alert_ids)
        evidence = reading.evidence(cursor, alert_ids, most=20)
    for row in alerts:
        row["sparkline"] = charts.sparkline(windows[row["alert_id"]])
    headline = windows[alert_ids[0]] if alerts else []
    return _page(
        request,
        "incident.html",
        incident=incident,
        alerts=alerts,
        evidence=evidence,
        chart=charts.chart(headline, min_posts=_settings(request).min_posts),
    )


@router.get("/words")
def search_word(q: Annotated[str, Query(max_length=500)] = "") -> Response:
    """Lead to the page of a word or phrase."""
    return RedirectResponse(word_path(q.strip()) if q.strip() else "/", status_code=303)


@router.get("/words/{word:path}")
def word(request: Request, word: str) -> Response:
    """Show what is known of a word: alerts, suppressed windows, drops and its days."""
    tokens = text_tokens(word) or text_tokens(f"#{word.strip()}")
    keyword = " ".join(tokens)
    with reading.reading(_settings(request)) as cursor:
        return _page(
            request,
            "word.html",
            typed=word,
            keyword=keyword,
            dropped=list(dropped_parts(word)),
            alerts=reading.alerts(cursor, keyword=keyword, most=reading.PAGE_ROWS),
            suppressed=reading.suppressed(cursor, keyword=keyword)[: reading.PAGE_ROWS],
            drops=reading.drops(cursor, keyword=keyword)[: reading.PAGE_ROWS],
            days=reading.days_of_keyword(cursor, keyword),
        )


@router.get("/trends")
def trends(request: Request, day: Day = None, kind: Kind = Kind.KEYWORD, skip: Skip = 0) -> Response:
    """Show what the posts of a day were about."""
    with reading.reading(_settings(request)) as cursor:
        days = reading.trend_days(cursor)
        shown = day or (days[0] if days else None)
        rows = reading.trends(cursor, day=shown, kind=kind, skip=skip) if shown else []
    return _page(
        request, "trends.html", days=days, day=shown, kind=kind, kinds=list(Kind), **_paged(rows, skip)
    )


@router.get("/suppressed")
def suppressed(request: Request, skip: Skip = 0) -> Response:
    """Show anomalies that raised no alert, and why."""
    with reading.reading(_settings(request)) as cursor:
        return _page(request, "suppressed.html", **_paged(reading.suppressed(cursor, skip=skip), skip))


@router.get("/drops")
def drops(request: Request, skip: Skip = 0) -> Response:
    """Show watched keywords that are posted far less often than expected."""
    with reading.reading(_settings(request)) as cursor:
        return _page(request, "drops.html", **_paged(reading.drops(cursor, skip=skip), skip))


@router.get("/pipeline")
def pipeline(request: Request) -> Response:
    """Show how far each stage is, and what the operator has to know."""
    settings = _settings(request)
    status = status_rows(settings, now=datetime.now(UTC))
    with reading.reading(settings) as cursor:
        return _page(
            request,
            "pipeline.html",
            status=status,
            checks=reading.checks(cursor),
            days=reading.days(cursor),
            rejected=reading.rejected(cursor),
        )


def _paged(rows: list[reading.Row], skip: int) -> dict[str, Any]:
    """Return a page of rows, and how many to skip for the previous and the next one, where there is one."""
    size = reading.PAGE_ROWS
    return {
        "rows": rows[:size],
        "previous": max(skip - size, 0) if skip else None,
        "following": skip + size if len(rows) > size else None,
    }


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _page(request: Request, template: str, **context: object) -> Response:
    rendered: Response = request.app.state.templates.TemplateResponse(
        request, template, {"path": request.url.path, **context}
    )
    return rendered
