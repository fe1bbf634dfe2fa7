"""Step `release`: a release of this machine into the stage's bucket, by the role that may write it."""

import json
import os
from collections.abc import Mapping

from ebb.aws.client import AwsClient
from ebb.aws.credentials import KEY, SECRET, TOKEN, Credentials
from ebb.aws.endpoint import endpoint_of
from ebb.errors import NoRelease, ReleaseError
from ebb.folder import FolderReleases
from ebb.places import S3Place
from ebb.ports import ReleaseStore
from ebb.release.manifest import METRICS
from ebb.s3.bucket import Bucket
from ebb.s3.releases import S3Releases
from local.deploying.deployment import Deployment
from local.deploying.step import Outcome
from training.promotable import check_gates

PREFIX = "releases"
_SESSION_SECONDS = 3_600
_SECONDS = 300.0
"""For one object, attempts included: megabytes over whatever line the operator has."""


class Publish:
    """The step. A release is one object, which appears whole or not at all, and is never replaced."""

    name = "release"

    def look(self, at: Deployment) -> Outcome:
        """Ask the bucket whether it holds the release."""
        name = _passed(at)
        if at.offline or at.stack("registry") is None:
            return Outcome("would", f"would publish {name}")
        if _held(_store(at), at.stage.contract, at.version) is None:
            return Outcome("would", f"would publish {name}")
        return Outcome("already", f"{name} is published")

    def take(self, at: Deployment) -> Outcome:
        """Publish it; one that is there must be the same."""
        name, store = _passed(at), _store(at)
        files = FolderReleases(at.served.releases).read(at.stage.contract, at.version)
        with at.progress.step(f"Publishing {name}", 1):
            held = _held(store, at.stage.contract, at.version)
            if held is None:
                store.write(at.stage.contract, at.version, files)
                held = store.read(at.stage.contract, at.version)
                state = "done"
            else:
                state = "already"
        if held != files:
            raise ReleaseError(
                f"the stage {at.stage.name!r} holds other files under {name}: {_differing(held, files)}. A version is "
                "published once: train again, or name the release that was published with --release"
            )
        if state == "already":
            return Outcome("already", f"{name} is published")
        size = sum(len(content) for content in files.values()) / 1e6
        return Outcome("done", f"published {name}, {len(files)} files of {size:,.1f} MB as one object")


def _passed(at: Deployment) -> str:
    """Return the release's name.

    Raises:
        NoRelease, ReleaseError: see `Deployment.served`.
        GateRefused: a gate of its contract failed.
    """
    release = at.served.release
    if release is None:
        raise AssertionError("`served` holds a release, or says why not")
    files = FolderReleases(at.served.releases).read(at.stage.contract, at.version)
    try:
        metrics = json.loads(files.get(METRICS, b"{}"))
    except ValueError:
        raise ReleaseError(f"{release.name} has metrics that cannot be read: train again") from None
    check_gates(release.contract, metrics, release.name)
    return release.name


def _held(store: ReleaseStore, contract: str, version: str) -> dict[str, bytes] | None:
    try:
        return store.read(contract, version)
    except NoRelease:
        return None


def _differing(held: Mapping[str, bytes], files: Mapping[str, bytes]) -> str:
    return ", ".join(sorted(name for name in held.keys() | files.keys() if held.get(name) != files.get(name)))


def _store(at: Deployment) -> ReleaseStore:
    """Return the bucket's releases, as the publisher sees them.

    Raises:
        AwsRefused: the role may not be taken.
        NotThere: the stack does not stand.
    """
    place = S3Place(at.output("registry", "BucketName"), PREFIX)
    taken = at.aws.call(
        "sts",
        "assume_role",
        RoleArn=at.output("registry", "PublisherArn"),
        RoleSessionName="ebb-deploy",
        DurationSeconds=_SESSION_SECONDS,
    )["Credentials"]
    held = {KEY: taken["AccessKeyId"], SECRET: taken["SecretAccessKey"], TOKEN: taken["SessionToken"]}
    endpoint = endpoint_of("s3", os.environ, at.stage.region)
    client = AwsClient(lambda: Credentials.in_environment(held))
    return S3Releases(Bucket(client, endpoint, place.bucket, _SECONDS), place)
