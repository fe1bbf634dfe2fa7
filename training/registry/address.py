"""Where the registry lies: one sqlite file beside the releases, or any MLflow by its address."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ebb.errors import Misuse, Unavailable
from training.registry.calls import reason

DATABASE, ARTIFACTS = "mlflow.db", "mlflow-artifacts"
_SQLITE = "sqlite:///"
_DATABASES = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
"""Schemes that SQLAlchemy knows and MLflow allows, with the port that is meant where none is named."""
_KNOWN = re.compile(r"(https?|sqlite|postgresql|mysql|mssql)(\+\w+)?://.+|arn:aws[\w-]*:sagemaker:.+")


@dataclass(frozen=True)
class Address:
    """A registry's address.

    Attributes:
        uri: as MLflow takes it.
        database: the sqlite file; None for any other address.
        artifacts: where files of runs lie, as a URI; None leaves it to the server.
        server: host and port that must answer before MLflow is asked, which would retry for an hour; None otherwise.
    """

    uri: str
    database: Path | None = None
    artifacts: str | None = None
    server: tuple[str, int] | None = None


def check_uri(uri: str) -> str:
    """Return an address that MLflow may be asked at; the empty one means the file beside the releases.

    Raises:
        Misuse: it is none, such as a folder's name, which MLflow would take for a store of files.
    """
    if uri and not _KNOWN.fullmatch(uri):
        raise Misuse(
            "EBB_MLFLOW_URI (or --mlflow) must be http(s)://HOST, sqlite:///FILE, postgresql://..., mysql://... or the "
            "ARN of a SageMaker MLflow server"
        )
    return uri


def address_of(releases: Path, uri: str = "") -> Address:
    """Return where the registry lies.

    Args:
        releases: the folder of releases.
        uri: see `check_uri`.

    Raises:
        Unavailable: the address is none; a release is kept all the same.
    """
    try:
        check_uri(uri)
        if not uri or uri.startswith(_SQLITE):
            database = Path(uri.removeprefix(_SQLITE)) if uri else releases / DATABASE
            return _beside(database.absolute())
        parts = urlsplit(uri)
        dialect = parts.scheme.partition("+")[0]
        server = (parts.hostname or "localhost", parts.port or _DATABASES[dialect]) if dialect in _DATABASES else None
    except (Misuse, ValueError) as error:
        raise Unavailable(f"the registry (MLflow) has no usable address: {reason(error)}") from None
    return Address(uri, server=server)


def _beside(database: Path) -> Address:
    return Address(f"{_SQLITE}{database}", database, (database.parent / ARTIFACTS).as_uri())
