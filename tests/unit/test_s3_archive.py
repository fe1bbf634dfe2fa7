"""A release as one archive: the same bytes for the same files, and nothing hostile comes out of one."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import ReleaseError
from ebb.s3.archive import pack, unpack
from ebb.s3.roles import Roles
from tests.fakes.releases import tiny_release

NAMES = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}", fullmatch=True)


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=8))
def test_what_is_packed_comes_out(files: dict[str, bytes]) -> None:
    assert unpack(pack(files), "x") == files
    assert pack(dict(reversed(files.items()))) == pack(files)


def test_a_release_shrinks() -> None:
    files = tiny_release()
    assert len(pack(files)) < sum(map(len, files.values()))


@pytest.mark.parametrize("name", ["", "../x", "a/b", "/etc/passwd", ".hidden", "x" * 200, "a\\b", "a\n"])
def test_a_name_that_is_none_goes_neither_in_nor_out(name: str) -> None:
    with pytest.raises(ReleaseError, match="no name of a file"):
        pack({name: b""})
    whole = BytesIO()
    with ZipFile(whole, "w") as archive:
        archive.writestr(name or "/", b"x")
    with pytest.raises(ReleaseError, match=r"release x (holds|is damaged).*publish it again"):
        unpack(whole.getvalue(), "release x")


def test_what_would_fill_the_memory_is_refused_unread() -> None:
    whole = BytesIO()
    with ZipFile(whole, "w", ZIP_DEFLATED) as archive:
        for number in range(101):
            archive.writestr(f"f{number}", b"")
    with pytest.raises(ReleaseError, match="holds more than a release can"):
        unpack(whole.getvalue(), "x")
    bomb = bytearray(pack({"model.onnx": b"\0" * 1_000}))
    at = bomb.index(b"PK\1\2") + 24
    bomb[at : at + 4] = (1 << 31).to_bytes(4, "little")
    with pytest.raises(ReleaseError, match="holds more than a release can"):
        unpack(bytes(bomb), "x")


@given(st.binary(max_size=300))
def test_noise_is_no_archive(noise: bytes) -> None:
    with pytest.raises(ReleaseError, match="x is damaged: publish it again"):
        unpack(noise, "x")


@given(st.data())
def test_an_archive_with_one_other_byte_is_refused_or_the_same(data: st.DataObject) -> None:
    files = {"a": bytes(range(64)), "b": b"text"}
    whole = bytearray(pack(files))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        found = unpack(bytes(whole), "x")
    except ReleaseError:
        return
    assert list(found.values()) == list(files.values()), "names are the manifest's to check, contents are summed"


NAMED = st.from_regex(r"[0-9a-f]{12}", fullmatch=True)
VERSIONS = st.none() | NAMED


@given(st.builds(Roles, VERSIONS, VERSIONS, VERSIONS, st.dictionaries(NAMED, NAMED, max_size=4)))
def test_roles_are_read_as_they_were_written(roles: Roles) -> None:
    assert Roles.from_bytes(roles.to_bytes(), "x") == roles


@given(st.binary(max_size=60))
def test_noise_names_nobody(noise: bytes) -> None:
    try:
        Roles.from_bytes(noise, "x")
    except ReleaseError as error:
        assert str(error).startswith("x does not name versions by role")
