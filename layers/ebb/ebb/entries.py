"""How servers are entered: encrypted or not, and as whom; parsed from a function's environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ebb.errors import Misuse

_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+")
IAM, PASSWORD = "iam", "password"


@dataclass(frozen=True)
class Entry:
    """How one server is entered.

    Attributes:
        tls: whether connections are encrypted, and the server's certificate and name verified.
        ca_file: PEM file of authorities to trust besides the system's; empty for none.
        username, password: where they are fixed; empty for none.
        secret: ARN of the secret that holds them; empty where they are fixed.
        iam: whether a token signed for each connection is the password.
    """

    tls: bool = False
    ca_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    secret: str = ""
    iam: bool = False


def valkey_entry(environment: Mapping[str, str]) -> Entry:
    """Parse `EBB_VALKEY_TLS`, `_CA_FILE`, `_USERNAME`, `_PASSWORD` and `_SECRET`.

    Raises:
        Misuse: one cannot be what it is, or two contradict each other.
    """
    username, password = environment.get("EBB_VALKEY_USERNAME", ""), environment.get("EBB_VALKEY_PASSWORD", "")
    secret = secret_arn(environment, "EBB_VALKEY_SECRET")
    if secret and (username or password):
        raise Misuse(
            "EBB_VALKEY_SECRET holds user and password: leave EBB_VALKEY_USERNAME and EBB_VALKEY_PASSWORD away"
        )
    tls, ca_file = _encryption(environment, "EBB_VALKEY")
    return Entry(tls, ca_file, username, password, secret)


def postgres_entry(environment: Mapping[str, str]) -> Entry:
    """Parse `EBB_POSTGRES_TLS`, `_CA_FILE`, `_USER`, `_AUTH`, `_PASSWORD` and `_SECRET`.

    Raises:
        Misuse: see `valkey_entry`; or there is no password.
    """
    tls, ca_file = _encryption(environment, "EBB_POSTGRES")
    user, password = environment.get("EBB_POSTGRES_USER", ""), environment.get("EBB_POSTGRES_PASSWORD")
    secret = secret_arn(environment, "EBB_POSTGRES_SECRET")
    if not user and not secret:
        raise Misuse("the environment variable EBB_POSTGRES_USER is not set")
    match environment.get("EBB_POSTGRES_AUTH", "") or PASSWORD:
        case "iam":
            if password or secret:
                raise Misuse(
                    "EBB_POSTGRES_AUTH=iam needs no EBB_POSTGRES_PASSWORD or EBB_POSTGRES_SECRET: leave them away"
                )
            if not user:
                raise Misuse("the environment variable EBB_POSTGRES_USER is not set")
            if not tls:
                raise Misuse("EBB_POSTGRES_AUTH=iam sends a token that must not be read: set EBB_POSTGRES_TLS=true")
            return Entry(tls, ca_file, user, iam=True)
        case "password":
            if secret and password:
                raise Misuse("EBB_POSTGRES_SECRET holds the password: leave EBB_POSTGRES_PASSWORD away")
            if password is None and not secret:
                raise Misuse("the environment variable EBB_POSTGRES_PASSWORD is not set (nor EBB_POSTGRES_SECRET)")
            return Entry(tls, ca_file, user, password or "", secret)
        case _:
            raise Misuse("the environment variable EBB_POSTGRES_AUTH must be iam or password")


def secret_arn(environment: Mapping[str, str], name: str) -> str:
    """Return the ARN that a variable holds; empty where it is not set.

    Raises:
        Misuse: it holds something else; the sentence does not repeat it, it may be the secret itself.
    """
    arn = environment.get(name, "")
    if arn and not _ARN.fullmatch(arn):
        raise Misuse(f"the environment variable {name} must be the ARN of a secret in Secrets Manager")
    return arn


def _encryption(environment: Mapping[str, str], prefix: str) -> tuple[bool, str]:
    said = environment.get(f"{prefix}_TLS", "")
    if said not in {"", "true", "false"}:
        raise Misuse(f"the environment variable {prefix}_TLS must be true or false")
    ca_file = environment.get(f"{prefix}_CA_FILE", "")
    if ca_file and said != "true":
        raise Misuse(f"{prefix}_CA_FILE names who signs the server's certificate: set {prefix}_TLS=true too")
    return said == "true", ca_file
