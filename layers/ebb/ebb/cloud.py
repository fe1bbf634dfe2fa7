"""What a function needs of AWS, where its settings name something there; nothing of AWS is imported before."""

from __future__ import annotations

import os
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ebb.aws.client import AwsClient
    from ebb.aws.rotating import RotatingLogins
    from ebb.aws.secrets import Secrets
    from ebb.entries import Entry
    from ebb.login import Logins
    from ebb.places import S3Place
    from ebb.ports import ReleaseStore, RoutingStore
    from ebb.postgres.address import PostgresAddress
    from ebb.s3.bucket import Bucket

RELEASE_SECONDS = 30.0
"""For a release: megabytes, and nobody is answered meanwhile, or an older one serves."""


class Cloud:
    """Makes adapters; one client, and one look at each secret, for all of them.

    Args:
        environment: of the function; read again for each signature, as its credentials may change.
        report: takes why a secret could not be read, for the log.
    """

    def __init__(
        self, environment: Mapping[str, str] = os.environ, report: Callable[[str], None] = lambda _: None
    ) -> None:
        self._environment, self._report = environment, report
        self.logins = cache(self._logins)

    def releases(self, place: Path | S3Place) -> ReleaseStore:
        """Return the store of releases in a folder or bucket."""
        if isinstance(place, Path):
            return FolderReleases(place)
        from ebb.s3.releases import S3Releases  # noqa: PLC0415 - see the module

        return S3Releases(self._bucket(place, RELEASE_SECONDS), place)

    def routing(self, place: Path | S3Place, seconds: float) -> RoutingStore:
        """Return the store of routing tables in a folder or bucket.

        Args:
            place: where.
            seconds: for an answer of S3.
        """
        if isinstance(place, Path):
            return FolderRouting(place)
        from ebb.s3.routing import S3Routing  # noqa: PLC0415 - see the module

        return S3Routing(self._bucket(place, seconds), place)

    def secret(self, arn: str) -> bytes:
        """Return a secret as it is now.

        Raises:
            Misuse: there is none, or the function may not read it.
            Unavailable: Secrets Manager does not answer.
        """
        return self._secrets.read(arn)

    def database_logins(self, address: PostgresAddress, entry: Entry) -> Logins | None:
        """Return where the password of each new connection to a database comes from; None where it is fixed."""
        if entry.secret:
            return self.logins(entry.secret)
        if not entry.iam:
            return None
        from ebb.aws.credentials import Credentials  # noqa: PLC0415 - see the module
        from ebb.aws.database_token import IamLogins  # noqa: PLC0415
        from ebb.aws.endpoint import region_of  # noqa: PLC0415

        def who() -> Credentials:
            return Credentials.in_environment(self._environment)

        return IamLogins(address.host, address.port, address.user, region_of(self._environment), who)

    def _logins(self, arn: str) -> RotatingLogins:
        from ebb.aws.rotating import RotatingLogins  # noqa: PLC0415 - see the module

        made = RotatingLogins(lambda: self._secrets.read(arn), self._report)
        made.look()
        return made

    def _bucket(self, place: S3Place, seconds: float) -> Bucket:
        from ebb.aws.endpoint import endpoint_of  # noqa: PLC0415 - see the module
        from ebb.s3.bucket import Bucket  # noqa: PLC0415

        return Bucket(self._client, endpoint_of("s3", self._environment), place.bucket, seconds)

    @cached_property
    def _client(self) -> AwsClient:
        from ebb.aws.client import AwsClient  # noqa: PLC0415 - see the module
        from ebb.aws.credentials import Credentials  # noqa: PLC0415

        return AwsClient(lambda: Credentials.in_environment(self._environment))

    @cached_property
    def _secrets(self) -> Secrets:
        from ebb.aws.secrets import Secrets  # noqa: PLC0415 - see the module

        return Secrets(self._client, self._environment)
