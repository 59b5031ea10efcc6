"""The figures for Prometheus: read from Postgres at every scrape, on an address that is loopback unless told otherwise."""

import threading
from collections.abc import Iterator

import psycopg2
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from core.errors import NotReadyError
from core.settings import Settings
from sql.figures import METRICS, Figures, read_figures

PREFIX = "groundswell_"


class FiguresCollector(Collector):
    """Gives all figures at every scrape; `groundswell_up` is 0, and nothing else is there, while Postgres is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """One family a metric."""
        try:
            figures: Figures = read_figures(self._settings)
        except psycopg2.Error:
            yield GaugeMetricFamily(f"{PREFIX}up", "whether Postgres gave the figures", value=0)
            return
        yield GaugeMetricFamily(f"{PREFIX}up", "whether Postgres gave the figures", value=1)
        for metric in METRICS:
            make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = make(PREFIX + metric.name, f"{metric.meaning} ({metric.unit})", labels=metric.labels)
            for labels, value in figures.get(metric.name, {}).items():
                family.add_metric(labels, value)
            yield family


def serve(settings: Settings, *, address: str, port: int, stop: threading.Event) -> None:
    """Answer scrapes until `stop`; raises NotReadyError where the port is taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FiguresCollector(settings))
    try:
        server, thread = start_http_server(port, address, registry)
    except OSError as error:
        raise NotReadyError(
            f"{address}:{port} cannot be listened on: {error.strerror}. Choose another one with --port."
        ) from error
    try:
        stop.wait()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
