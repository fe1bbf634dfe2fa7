"""The key pair that is kept, what is published of it, and the tokens it signs."""

import threading
from pathlib import Path

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ebb.errors import Misuse
from local.identity import CONFIGURATION_PATH, JWKS_PATH, Identity


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("identity") / "state"
    Identity.load_or_create(path)
    return path


def test_the_key_is_private_and_the_only_file(folder: Path) -> None:
    (file,) = folder.iterdir()
    assert file.name == "identity.pem"
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_second_call_loads_the_same_key(folder: Path) -> None:
    assert Identity.load_or_create(folder).jwks() == Identity.load_or_create(folder).jwks()


def test_a_key_that_others_could_read_is_closed_again(folder: Path) -> None:
    file = folder / "identity.pem"
    file.chmod(0o644)
    Identity.load_or_create(folder)
    assert file.stat().st_mode & 0o777 == 0o600


def test_two_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[str] = []
    barrier = threading.Barrier(4)

    def create() -> None:
        barrier.wait()
        found.append(Identity.load_or_create(tmp_path).kid)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["identity.pem"]


def test_the_key_set_holds_the_public_half_only(folder: Path) -> None:
    identity = Identity.load_or_create(folder)
    (document,) = identity.jwks()["keys"]
    assert set(document) == {"kty", "use", "alg", "kid", "n", "e"}
    assert document["kid"] == identity.kid
    assert jwt.PyJWK(document).key.public_numbers() == identity.key.public_key().public_numbers()


def test_a_minted_token_carries_the_claims(folder: Path) -> None:
    identity = Identity.load_or_create(folder)
    token = identity.mint("a-client", ["predict", "write"], 1.5, "http://issuer", "ebb")
    claims = jwt.decode(token, jwt.PyJWK(identity.jwks()["keys"][0]), ["RS256"], audience="ebb", issuer="http://issuer")
    assert claims["sub"] == claims["client_id"] == "a-client"
    assert claims["scope"] == "predict write"
    assert claims["exp"] - claims["iat"] == 90
    assert claims["nbf"] == claims["iat"]
    assert jwt.get_unverified_header(token)["kid"] == identity.kid
    other = identity.mint("a-client", ["predict", "write"], 1.5, "http://issuer", "ebb")
    assert other != token


@pytest.mark.parametrize(("client", "minutes"), [("", 5), ("c", 0), ("c", -1)])
def test_a_token_that_could_not_be_used_is_not_minted(folder: Path, client: str, minutes: float) -> None:
    with pytest.raises(Misuse, match="a token needs"):
        Identity.load_or_create(folder).mint(client, [], minutes, "i", "a")


def test_the_documents_lead_from_the_issuer_to_the_keys(folder: Path) -> None:
    documents = Identity.load_or_create(folder).documents("http://127.0.0.1:9000")
    configuration = orjson.loads(documents[CONFIGURATION_PATH])
    assert configuration["issuer"] == "http://127.0.0.1:9000"
    assert configuration["jwks_uri"] == f"http://127.0.0.1:9000{JWKS_PATH}"
    assert orjson.loads(documents[JWKS_PATH])["keys"]


def elliptic() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("content", [b"", b"not a key", elliptic()])
def test_a_file_that_is_no_such_key_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "identity.pem"
    file.write_bytes(content)
    with pytest.raises(Misuse, match=r"identity\.pem is not .* delete it"):
        Identity.load_or_create(tmp_path)
    assert file.read_bytes() == content
