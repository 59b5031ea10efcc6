"""Delivery over a client of the test: what is acknowledged, what is sent again, what ends a run."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from confluent_kafka import KafkaError

from core.errors import GroundswellError, NotReadyError, SettingsError
from producer import delivery
from producer.delivery import Delivery, Record
from producer.resume import Position
from tests.factories import settings_without_servers

TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
Waiting = tuple[bytes, Callable[[KafkaError | None, Any], None]]


class Client:
    """Answers what waits, at each flush, as `answer(values)` says: by value, an error or None."""

    def __init__(self, answer: Callable[[list[bytes]], dict[bytes, KafkaError | None]]) -> None:
        self.waiting: list[Waiting] = []
        self._answer = answer

    def __len__(self) -> int:
        return len(self.waiting)

    def produce(self, topic: str, value: bytes, key: bytes, partition: int, on_delivery: Any) -> None:
        self.waiting.append((value, on_delivery))

    def poll(self, seconds: float) -> None:
        pass

    def flush(self, seconds: float) -> None:
        answers = self._answer([value for value, _ in self.waiting])
        waiting, self.waiting = self.waiting, []
        for value, on_delivery in waiting:
            if value in answers:
                on_delivery(answers[value], None)
            else:
                self.waiting.append((value, on_delivery))

    def purge(self) -> None:
        pass


def a_delivery(monkeypatch: pytest.MonkeyPatch, client: Client) -> Delivery:
    monkeypatch.setattr(delivery, "connect_producer", lambda *_, **__: client)
    return Delivery(
        settings_without_servers(),
        stop=Event(),
        say=lambda _: None,
        replace_too_large=lambda record, position: Record("rejected", b"", b"why"),
    )


def send(sender: Delivery, *values: bytes) -> None:
    for number, value in enumerate(values, start=1):
        sender.send(Record("posts", b"", value), Position(0, 0, number))


def test_the_position_does_not_pass_a_record_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(lambda values: {b"a": None, b"c": None})
    sender = a_delivery(monkeypatch, client)
    send(sender, b"a", b"b", b"c")
    client.flush(0)
    sender.settle()
    assert sender.acknowledged == Position(0, 0, 1) and sender.delivered == {"posts": 1}


def test_of_a_batch_that_is_too_large_each_record_is_sent_alone_and_only_one_too_large_alone_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Client(
        lambda values: {value: TOO_LARGE if len(b"".join(values)) > 3 else None for value in values}
    )
    sender = a_delivery(monkeypatch, client)
    send(sender, b"aa", b"bbbb", b"cc")
    assert sender.finish(lambda: None) == 0
    assert sender.delivered == {"posts": 2, "rejected": 1} and sender.acknowledged == Position(0, 0, 3)


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), SettingsError, "does not accept posts"),
        (
            KafkaError(KafkaError._FATAL, "lost", fatal=True),
            NotReadyError,
            "nothing more from this run",
        ),
    ],
)
def test_a_denial_ends_the_run_and_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, error: KafkaError, kind: type[GroundswellError], sentence: str
) -> None:
    client = Client(lambda values: {b"a": None, b"b": error})
    sender = a_delivery(monkeypatch, client)
    send(sender, b"a", b"b", b"c")
    client.flush(0)
    with pytest.raises(kind, match=sentence):
        sender.settle()
    assert sender.finish(lambda: None) == 1
    assert sender.acknowledged == Position(0, 0, 1)
