"""Partitioner: every key gets the partition that Kafka's own clients give it."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as reference

from producer.partitioner import murmur2, partition_of


@given(st.binary(max_size=300))
def test_any_key_has_the_hash_of_the_reference(key: bytes) -> None:
    assert murmur2(key) == reference(key)


def test_a_post_id_has_a_known_hash() -> None:
    assert murmur2(b"6807325450981969158") == reference(b"6807325450981969158")
    assert murmur2(b"") == 275646681


@given(st.binary(max_size=40), st.integers(1, 200))
def test_any_key_has_the_partition_of_kafkas_own_clients(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (reference(key) & 0x7FFFFFFF) % partitions
