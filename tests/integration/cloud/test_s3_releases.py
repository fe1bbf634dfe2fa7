"""Releases in a bucket: what every store promises, and what only S3 can do wrong."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebb.cloud import Cloud
from ebb.errors import NoRelease, ReleaseError
from ebb.onnx import OnnxScorer
from ebb.places import S3Place
from ebb.ports import ReleaseStore
from ebb.release.load import load_champion
from ebb.s3.releases import S3Releases
from tests.fakes.aws_door import Door
from tests.fakes.releases import tiny_release, version_in
from tests.fakes.routing import MemoryReleases
from tests.releases_contract import A, B, C, D, LastingReleasesContract, filled, roles


def store_in(door: Door, bucket: str = "", prefix: str = "releases") -> S3Releases:
    made = Cloud(door.environment).releases(S3Place(bucket or door.bucket(), prefix))
    assert isinstance(made, S3Releases)
    return made


class TestS3(LastingReleasesContract):
    @pytest.fixture
    def store(self, door: Door) -> ReleaseStore:
        return filled(store_in(door))


@pytest.fixture
def store(door: Door) -> Iterator[ReleaseStore]:
    made = filled(store_in(door))
    door.begin()
    yield made
    door.faults.clear()


MOVES = st.lists(st.tuples(st.sampled_from(["champion", "challenger"]), st.sampled_from([A, B, C, D])), max_size=8)


@given(moves=MOVES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_s3_and_fake_agree_after_every_move(door: Door, moves: list[tuple[str, str]]) -> None:
    both: list[ReleaseStore] = [filled(store_in(door)), filled(MemoryReleases())]
    for role, name in moves:
        for each in both:
            (each.set_champion if role == "champion" else each.set_challenger)("tiny", name)
        assert roles(both[0]) == roles(both[1])


def test_a_release_loads_from_the_bucket_by_one_read(door: Door, store: ReleaseStore) -> None:
    files = tiny_release()
    store.write("tiny", version_in(files), files)
    store.set_champion("tiny", version_in(files))
    door.begin()
    assert load_champion(store, "tiny", OnnxScorer).manifest.version == version_in(files)
    assert [each.method for each in door.asked] == ["GET", "GET"], "the roles, and the release"


def test_every_write_carries_its_checksum_and_a_condition(door: Door, store: ReleaseStore) -> None:
    store.set_champion("tiny", A)
    store.set_champion("tiny", B)
    store.write("tiny", "0123456789ab", {"a": b"a"})
    writes = [each.headers for each in door.asked if each.method == "PUT"]
    assert len(writes) == 3
    assert all(each["x-amz-checksum-sha256"] for each in writes)
    assert [("if-match" in each, each.get("if-none-match")) for each in writes] == [
        (False, "*"),
        (True, None),
        (False, "*"),
    ]


@pytest.mark.parametrize("fault", ["busy", "conflict", "failed", "dropped", "cut"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_whatever_happens_once_a_champion_is_named_once(door: Door, store: ReleaseStore, fault: str, at: int) -> None:
    """At its three requests: is the release there, who serves, and the write itself."""
    store.set_champion("tiny", A)
    store.set_champion("tiny", B)
    door.faults.extend([""] * at + [fault])
    store.set_champion("tiny", C)
    assert not door.faults
    assert roles(store) == (C, B, None)


@pytest.mark.parametrize("fault", ["busy", "conflict", "failed", "dropped"])
def test_a_release_is_written_once_whatever_happens(door: Door, store: ReleaseStore, fault: str) -> None:
    door.faults.append(fault)
    store.write("tiny", "0123456789ab", {"a": b"a"})
    assert store.read("tiny", "0123456789ab") == {"a": b"a"}


def test_half_an_archive_is_damaged_and_no_release(door: Door) -> None:
    bucket = door.bucket()
    store = store_in(door, bucket)
    store.write("tiny", A, {"model.onnx": os.urandom(500)})
    client = door.client("s3")
    whole = client.get_object(Bucket=bucket, Key=f"releases/tiny/{A}.zip")["Body"].read()
    flipped = whole[:200] + bytes([whole[200] ^ 255]) + whole[201:]
    for damaged in (whole[:-30], b"", whole.replace(b"model", b"../el"), flipped):
        client.put_object(Bucket=bucket, Key=f"releases/tiny/{A}.zip", Body=damaged)
        with pytest.raises(ReleaseError, match=f"release tiny/{A} .*publish it again"):
            store.read("tiny", A)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"champion": "latest"}', b'{"champion": 5}', b'{"x": "y"}'])
def test_damaged_roles_are_told_and_stop_no_promotion(door: Door, content: bytes) -> None:
    bucket = door.bucket()
    store = filled(store_in(door, bucket))
    store.set_champion("tiny", A)
    door.client("s3").put_object(Bucket=bucket, Key="releases/tiny/roles.json", Body=content)
    with pytest.raises(ReleaseError, match=r"releases/tiny/roles\.json does not name versions by role"):
        store.champion("tiny")
    store.set_champion("tiny", B)
    assert roles(store) == (B, None, None)


def test_what_lies_beside_the_releases_is_none(door: Door) -> None:
    bucket = door.bucket()
    store, client = filled(store_in(door, bucket)), door.client("s3")
    for key in ("tiny/README", "tiny/0123456789ab", "tiny/0123456789ab.zip/x", "Tiny/x", "empty/x", "stray"):
        client.put_object(Bucket=bucket, Key=f"releases/{key}", Body=b"")
    client.put_object(Bucket=bucket, Key=f"releases-old/tiny/{'9' * 12}.zip", Body=b"")
    assert store.versions("tiny") == [A, B, C, D]
    assert store.contracts() == ["tiny"]
    assert store.versions("tin") == []


def test_a_whole_bucket_may_be_the_place(door: Door) -> None:
    store = filled(store_in(door, prefix=""))
    store.set_champion("tiny", A)
    assert (store.contracts(), store.champion("tiny")) == (["tiny"], A)


def test_a_bucket_that_is_not_there_is_told(door: Door) -> None:
    store = store_in(door, "ebb-nowhere")
    with pytest.raises(
        ReleaseError, match=r"cannot be read: S3 refuses GET of s3://ebb-nowhere/.*there is no such bucket"
    ):
        store.champion("tiny")
    with pytest.raises(ReleaseError, match="could not be written"):
        store.write("tiny", A, {})
    with pytest.raises(ReleaseError, match="cannot be listed"):
        store.contracts()
    with pytest.raises(ReleaseError) as refused:
        store.read("tiny", A)
    assert not isinstance(refused.value, NoRelease)
