"""Routing tables in a bucket: what every store promises, and what only S3 can do wrong."""

import threading
import time
from dataclasses import replace
from itertools import pairwise

import pytest

from ebb.cloud import Cloud
from ebb.errors import Conflict, Unavailable
from ebb.places import S3Place
from ebb.ports import RoutingStore
from ebb.routing.change import promoted
from ebb.routing.table import Change
from tests.fakes.aws_door import KEYS, Door
from tests.fakes.routing import SET, first_table, version
from tests.routing_contract import RoutingContract


def store_in(door: Door, bucket: str, seconds: float = 10.0) -> RoutingStore:
    return Cloud(door.environment).routing(S3Place(bucket, "routing"), seconds)


class S3Shelf:
    """Tables in a bucket of their own."""

    def __init__(self, door: Door) -> None:
        self.bucket, self._client = door.bucket(), door.client("s3")
        self.store = store_in(door, self.bucket)

    def names(self) -> list[str]:
        listed = self._client.list_objects_v2(Bucket=self.bucket, Prefix="routing/tiny/").get("Contents", [])
        return [each["Key"].removeprefix("routing/tiny/") for each in listed]

    def lay(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=f"routing/tiny/{name}", Body=content)

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=f"routing/tiny/{name}")

    def rename(self, name: str, to: str) -> None:
        got = self._client.get_object(Bucket=self.bucket, Key=f"routing/tiny/{name}")
        self.lay(to, got["Body"].read())
        self.remove(name)


class TestS3(RoutingContract):
    @pytest.fixture
    def shelf(self, door: Door) -> S3Shelf:
        return S3Shelf(door)


@pytest.fixture
def shelf(door: Door) -> S3Shelf:
    return S3Shelf(door)


@pytest.mark.parametrize("fault", ["busy", "conflict", "failed", "dropped"])
def test_a_table_is_kept_once_whatever_happens(door: Door, shelf: S3Shelf, fault: str) -> None:
    door.faults.append(fault)
    shelf.store.append("tiny", first_table())
    assert shelf.store.history("tiny", 5) == [first_table()]
    door.faults.append(fault)
    other = replace(first_table(), champion=version(7))
    with pytest.raises(Conflict, match="version 1 of the routing table is there already"):
        shelf.store.append("tiny", other)
    assert shelf.store.latest("tiny") == first_table()


def test_of_several_writers_exactly_one_wins_each_version(door: Door, shelf: S3Shelf) -> None:
    shelf.store.append("tiny", first_table())
    won: dict[str, list[int]] = {}

    def write(name: str) -> None:
        store, mine = store_in(door, shelf.bucket), won.setdefault(name, [])
        while len(mine) < 8:
            old = store.latest("tiny")
            assert old is not None
            try:
                store.append("tiny", promoted(old, version(old.version * 10), Change(1.0, name, "promote")))
            except Conflict:
                continue
            mine.append(old.version + 1)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(each for some in won.values() for each in some) == list(range(2, 26))
    history = shelf.store.history("tiny", 99)[::-1]
    for before, after in pairwise(history):
        assert after.previous == before.champion, "nobody's change was written over"
        assert after.version in won[after.change.client]


def test_what_is_older_than_a_table_that_was_seen_is_not_listed_again(door: Door, shelf: S3Shelf) -> None:
    store, table = shelf.store, first_table()
    store.append("tiny", table)
    assert store.latest("tiny") == table
    following = promoted(table, version(1), SET)
    store_in(door, shelf.bucket).append("tiny", following)
    door.begin()
    assert store.latest("tiny") == following
    assert "start-after=routing%2Ftiny%2F000000000001.json" in door.asked[0].path
    assert store.latest("tiny") == following, "nothing is newer"
    shelf.remove("000000000002.json")
    assert store.latest("tiny") == table, "it was taken away after all"
    shelf.remove("000000000001.json")
    assert store.latest("tiny") is None


def test_a_silent_s3_costs_no_more_than_its_time_and_is_asked_again(door: Door, shelf: S3Shelf) -> None:
    shelf.store.append("tiny", first_table())
    quick = store_in(door, shelf.bucket, 0.6)
    door.go_on.clear()
    door.faults.append("silent")
    assert quick.latest("tiny") == first_table(), "one attempt takes a third of the time"
    door.faults.extend(["silent"] * 9)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"^S3 does not answer \(timeout\); ask again later") as silent:
        quick.latest("tiny")
    assert silent.value.timeout
    assert time.monotonic() - began < 30
    door.begin()
    assert quick.latest("tiny") == first_table()


def test_an_s3_that_stays_busy_or_is_not_there_is_unavailable(door: Door, shelf: S3Shelf) -> None:
    store = store_in(door, shelf.bucket, 0.3)
    door.faults.extend(["busy"] * 99)
    with pytest.raises(Unavailable, match=r"S3 is too busy to answer \(status 503\)"):
        store.latest("tiny")
    door.begin()
    nowhere = Cloud({**door.environment, "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"})
    with pytest.raises(Unavailable, match=r"S3 does not answer \(\w+\)") as away:
        nowhere.routing(S3Place(shelf.bucket, "routing"), 0.2).append("tiny", first_table())
    assert not any(value in str(away.value) for value in KEYS.values())
