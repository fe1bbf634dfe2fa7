"""How servers are entered and where releases lie, as the environment says it: one sentence a bad value."""

from pathlib import Path

import pytest

from ebb.addresses import postgres_address, valkey_address
from ebb.cloud import Cloud
from ebb.entries import Entry
from ebb.errors import Misuse
from ebb.places import S3Place
from ebb.settings import Settings
from ebb.tls import trusting

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ebb/stage-AbCdEf"
PLAIN = {
    "EBB_RELEASES": "releases",
    "EBB_VALKEY_HOST": "v",
    "EBB_VALKEY_PORT": "6379",
    "EBB_POSTGRES_HOST": "p",
    "EBB_POSTGRES_PORT": "5432",
    "EBB_POSTGRES_USER": "u",
    "EBB_POSTGRES_PASSWORD": "canary",
    "EBB_POSTGRES_DATABASE": "d",
}
CLOUD = {
    **{name: value for name, value in PLAIN.items() if name != "EBB_POSTGRES_PASSWORD"},
    "EBB_RELEASES": "s3://ebb-prod/releases",
    "EBB_ROUTING": "s3://ebb-prod/routing/",
    "EBB_VALKEY_TLS": "true",
    "EBB_VALKEY_SECRET": ARN,
    "EBB_POSTGRES_TLS": "true",
    "EBB_POSTGRES_AUTH": "iam",
    "EBB_STAGE_SECRET": ARN,
}


def test_plain_paths_and_passwords_are_as_ever() -> None:
    told = Settings.from_environment({**PLAIN, "EBB_STAGE_SECRET_FILE": "f"})
    assert (told.releases, told.routing) == (Path("releases"), Path("routing"))
    assert (told.stage_secret_file, told.stage_secret) == (Path("f"), "")
    assert told.valkey_entry == Entry()
    at = postgres_address(told)
    assert (at.tls, at.logins, at.password) == (None, None, "canary")
    assert valkey_address(told).tls is None


def test_a_stage_s_environment_names_everything_of_the_cloud() -> None:
    told = Settings.from_environment(CLOUD)
    assert told.releases == S3Place("ebb-prod", "releases")
    assert told.routing == S3Place("ebb-prod", "routing")
    assert told.valkey_entry == Entry(tls=True, secret=ARN)
    assert told.postgres_entry == Entry(tls=True, username="u", iam=True)
    assert told.stage_secret == ARN
    at = postgres_address(
        told, Cloud({"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    )
    assert at.tls is trusting()
    assert at.login().password.startswith("p:5432/?Action=connect&DBUser=u&")


BAD = [
    ({"EBB_RELEASES": "s3://"}, "EBB_RELEASES must be s3://BUCKET/PREFIX, or the path of a folder"),
    ({"EBB_RELEASES": "s3://Bucket/x"}, "EBB_RELEASES must be s3"),
    ({"EBB_ROUTING": "s3://bucket/../x"}, "EBB_ROUTING must be s3"),
    ({"EBB_ROUTING": "https://bucket/x"}, "EBB_ROUTING must be s3"),
    ({"EBB_VALKEY_TLS": "yes"}, "EBB_VALKEY_TLS must be true or false"),
    ({"EBB_POSTGRES_TLS": "1"}, "EBB_POSTGRES_TLS must be true or false"),
    ({"EBB_VALKEY_SECRET": "canary"}, "EBB_VALKEY_SECRET must be the ARN of a secret"),
    ({"EBB_STAGE_SECRET": "canary"}, "EBB_STAGE_SECRET must be the ARN of a secret"),
    ({"EBB_POSTGRES_SECRET": "canary"}, "EBB_POSTGRES_SECRET must be the ARN of a secret"),
    ({"EBB_VALKEY_SECRET": ARN, "EBB_VALKEY_PASSWORD": "canary"}, "leave EBB_VALKEY_USERNAME and"),
    ({"EBB_POSTGRES_SECRET": ARN}, "EBB_POSTGRES_SECRET holds the password: leave EBB_POSTGRES_PASSWORD away"),
    ({"EBB_POSTGRES_AUTH": "iam"}, "EBB_POSTGRES_AUTH=iam needs no EBB_POSTGRES_PASSWORD"),
    ({"EBB_POSTGRES_AUTH": "iam", "EBB_POSTGRES_PASSWORD": ""}, "must not be read: set EBB_POSTGRES_TLS=true"),
    ({"EBB_POSTGRES_AUTH": "kerberos"}, "EBB_POSTGRES_AUTH must be iam or password"),
    ({"EBB_POSTGRES_USER": ""}, "EBB_POSTGRES_USER is not set"),
    ({"EBB_POSTGRES_CA_FILE": "x.pem"}, "set EBB_POSTGRES_TLS=true too"),
    ({"EBB_STAGE_SECRET": ARN, "EBB_STAGE_SECRET_FILE": "f"}, "a stage has one secret"),
]


@pytest.mark.parametrize(("change", "sentence"), BAD)
def test_a_bad_value_is_one_sentence_that_repeats_no_secret(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(Misuse, match=sentence.replace("(", r"\(")) as refused:
        Settings.from_environment({**PLAIN, **change})
    assert "canary" not in str(refused.value)


def test_settings_and_addresses_show_no_password() -> None:
    told = Settings.from_environment({**PLAIN, "EBB_VALKEY_PASSWORD": "canary"})
    assert "canary" not in repr((told, postgres_address(told), valkey_address(told)))


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_of_authorities_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    told = Settings.from_environment({**PLAIN, "EBB_VALKEY_TLS": "true", "EBB_VALKEY_CA_FILE": str(file)})
    with pytest.raises(Misuse, match=r"ca\.pem is no PEM file of certificates"):
        valkey_address(told)


@pytest.mark.parametrize("region", ["", "Frankfurt", "eu-west"])
def test_without_a_region_nothing_is_signed(region: str) -> None:
    with pytest.raises(Misuse, match="AWS_REGION must name a region"):
        Cloud({"AWS_REGION": region}).releases(S3Place("b-1", "x"))


def test_an_endpoint_that_is_no_address_is_told() -> None:
    with pytest.raises(Misuse, match="AWS_ENDPOINT_URL_S3 must be an address"):
        Cloud({"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_S3": "localhost:4566"}).releases(S3Place("b-1", "x"))


@pytest.mark.parametrize(("prefix", "key"), [("", "tiny/x"), ("a/b", "a/b/tiny/x")])
def test_keys_lie_below_the_prefix(prefix: str, key: str) -> None:
    place = S3Place("bucket", prefix)
    assert place.key("tiny", "x") == key
    assert str(place) == f"s3://bucket/{prefix}".rstrip("/")
