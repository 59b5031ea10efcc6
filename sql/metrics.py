"""The figures for Prometheus, read from Postgres at every scrape; served on loopback by default."""

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
    """Collects all figures at every scrape; if Postgres is away, only `groundswell_up` with value 0."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Yield one metric family per figure."""
        try:
            figures: Figures = read_figures(self._settings)
        except psycopg2.Error:
            yield GaugeMetricFamily(f"{PREFIX}up", "whether Postgres answered", value=0)
            return
        yield GaugeMetricFamily(f"{PREFIX}up", "whether Postgres answered", value=1)
        for metric in METRICS:
            family_type = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = family_type(
                PREFIX + metric.name, f"{metric.meaning} ({metric.unit})", labels=metric.labels
            )
            for labels, value in figures.get(metric.name, {}).items():
                family.add_metric(labels, value)
            yield family


def serve(settings: Settings, *, address: str, port: int, stop: threading.Event) -> None:
    """Serve scrapes until `stop` is set; raise NotReadyError if the port is taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FiguresCollector(settings))
    try:
        server, thread = start_http_server(port, address, registry)
    except OSError as error:
        raise NotReadyError(
            f"Cannot listen on {address}:{port}: {error.strerror}. Choose another port with --port."
        ) from error
    try:
        stop.wait()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
