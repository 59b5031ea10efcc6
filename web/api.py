"""The API `/api/v1`, read only: alerts, incidents, trends and figures as JSON or CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, FastAPI, HTTPException, Query, Request, Response
from pydantic import AfterValidator

from alerts.explain.sentence import reason_of
from core.settings import Settings
from sql.figures import METRICS, read_figures
from web import reading
from web.choices import Day, Kind, Origin, Severity, State, Status
from web.cursors import Place, cursor_of, place_of
from web.problems import answer_problems, documented
from web.schemas import AlertDetails, Alerts, Figures, IncidentDetails, Incidents, Term, Trends, Window

router = APIRouter()
OF_LISTS = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}} | documented(422, 503)


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("may not contain a NUL character")
    return text


def _with_zone(moment: str | None) -> datetime | None:
    """Return a moment of RFC 3339; ValueError for anything else."""
    if moment is None:
        return None
    value = datetime.fromisoformat(moment)
    if value.tzinfo is None or len(moment) < 17:
        raise ValueError("needs a date, a time and a zone, such as 2026-01-02T18:15:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is beyond the years 1 to 9999 in UTC") from error


Text = Annotated[str | None, Query(max_length=500), AfterValidator(_no_nul)]
Moment = Annotated[
    str | None,
    Query(max_length=40, description="RFC 3339, with its zone", json_schema_extra={"format": "date-time"}),
    AfterValidator(_with_zone),
]
Limit = Annotated[int, Query(ge=1, le=200)]
AsCsv = Annotated[bool, Query(description="answer as CSV, without cursor: the link header has the next page")]


def create_api(settings: Settings) -> FastAPI:
    """Return the application that is mounted at /api/v1."""
    api = FastAPI(
        title="Groundswell",
        version="1",
        description="Alerts, incidents, trends and figures; errors are problem details (RFC 9457).",
        docs_url=None,
        redoc_url=None,
    )
    api.state.settings = settings
    answer_problems(api)
    api.include_router(router)
    return api


@router.get("/alerts", response_model=Alerts, responses=OF_LISTS)
def alerts(
    request: Request,
    status: Status | None = None,
    severity: Severity | None = None,
    origin: Origin | None = None,
    keyword: Text = None,
    watched: bool | None = None,
    opened_from: Moment = None,
    opened_to: Moment = None,
    updated_after: Moment = None,
    limit: Limit = 50,
    cursor: Text = None,
    as_csv: AsCsv = False,
) -> Response:
    """List alerts, newest first."""
    chosen: dict[str, Any] = {
        "status": status,
        "severity": severity,
        "origin": origin,
        "keyword": keyword,
        "watched": watched,
        "opened_from": opened_from,
        "opened_to": opened_to,
        "updated_after": updated_after,
    }
    with reading.reading(request.app.state.settings) as connection:
        rows = reading.alerts(connection, **chosen, **_page(cursor, chosen, limit))
    return _list(request, "alerts", rows, chosen, limit, "alert_id", as_csv=as_csv)


@router.get("/alerts/{alert_id}", response_model=AlertDetails, responses=documented(404, 422, 503))
def alert(request: Request, alert_id: UUID) -> Response:
    """Return one alert with its reason, windows, posts and what stands out in them."""
    settings: Settings = request.app.state.settings
    with reading.reading(settings) as connection:
        found = reading.alert(connection, alert_id)
        if found is None:
            raise HTTPException(404, f"There is no alert {alert_id}.")
        windows = reading.windows_by_alert(connection, [alert_id])[alert_id]
        evidence = reading.evidence(connection, [alert_id])
        terms = reading.terms(connection, alert_id)
    details = {
        **found,
        "reason": reason_of(found, windows, min_posts=settings.min_posts) if windows else None,
        "windows": [{name: row[name] for name in Window.model_fields} for row in windows],
        "evidence": [{**row, "post_id": str(row["post_id"])} for row in evidence],
        "terms": [{name: row[name] for name in Term.model_fields} for rows in terms.values() for row in rows],
    }
    return _json(details)


@router.get("/incidents", response_model=Incidents, responses=OF_LISTS)
def incidents(
    request: Request,
    status: State | None = None,
    updated_after: Moment = None,
    limit: Limit = 50,
    cursor: Text = None,
    as_csv: AsCsv = False,
) -> Response:
    """List incidents, newest first."""
    chosen: dict[str, Any] = {"status": status, "updated_after": updated_after}
    with reading.reading(request.app.state.settings) as connection:
        rows = reading.incidents(connection, **chosen, **_page(cursor, chosen, limit))
    return _list(request, "incidents", rows, chosen, limit, "incident_id", as_csv=as_csv)


@router.get("/incidents/{incident_id}", response_model=IncidentDetails, responses=documented(404, 422, 503))
def incident(request: Request, incident_id: UUID) -> Response:
    """Return one incident with its alerts."""
    with reading.reading(request.app.state.settings) as connection:
        found = reading.incident(connection, incident_id)
        if found is None:
            raise HTTPException(404, f"There is no incident {incident_id}.")
    incident, members = found
    return _json({**incident, "alerts": members})


@router.get("/trends", response_model=Trends, responses=OF_LISTS)
def trends(
    request: Request,
    day: Day = None,
    kind: Kind = Kind.KEYWORD,
    from_rank: Annotated[int, Query(ge=1, le=100_000)] = 1,
    limit: Limit = 50,
    as_csv: AsCsv = False,
) -> Response:
    """List what the posts of a day (default: the newest) were about, by rank."""
    with reading.reading(request.app.state.settings) as connection:
        days = [day] if day else reading.trend_days(connection)[:1]
        rows = (
            reading.trends(connection, day=days[0], kind=kind, skip=from_rank - 1, most=limit) if days else []
        )
    if as_csv:
        return _csv(rows)
    return _json({"day": days[0] if days else None, "kind": kind, "trends": rows})


@router.get("/status", response_model=Figures, responses=documented(503))
def status(request: Request) -> Response:
    """Return the figures of `groundswell status`."""
    figures = read_figures(request.app.state.settings)
    labels = {metric.name: metric.labels for metric in METRICS}
    return _json(
        {
            "figures": {
                name: [
                    {**dict(zip(labels[name], key, strict=True)), "value": value} for key, value in by.items()
                ]
                for name, by in figures.items()
            }
        }
    )


def _page(cursor: str | None, chosen: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """Return the parameters of a page: one row more than it shows, after the place of the cursor."""
    place = place_of(cursor, chosen) if cursor else None
    return {
        "before_window": place and place.moment,
        "before_id": place and place.row_id,
        "most": limit + 1,
    }


def _list(
    request: Request,
    name: str,
    rows: list[reading.Row],
    chosen: Mapping[str, Any],
    limit: int,
    row_id: str,
    *,
    as_csv: bool,
) -> Response:
    """Return a page of rows under `name`, and the cursor of the next one, also as a link."""
    shown = rows[:limit]
    more = len(rows) > limit
    last = cursor_of(Place(shown[-1]["opened_window"], shown[-1][row_id]), chosen) if more else None
    response = _csv(shown) if as_csv else _json({name: shown, "next_cursor": last})
    if last:
        response.headers["Link"] = f'<{request.url.include_query_params(cursor=last)}>; rel="next"'
    return response


def _json(content: Mapping[str, Any]) -> Response:
    return Response(
        orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z), media_type="application/json"
    )


def _csv(rows: Sequence[Mapping[str, Any]]) -> Response:
    """Return rows as CSV (RFC 4180) with a header; lists separated by spaces; empty without rows."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            {key: " ".join(value) if isinstance(value, list) else value for key, value in row.items()}
            for row in rows
        )
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8")
