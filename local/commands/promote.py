"""`ebb promote`: a release becomes the champion."""

from typing import Annotated

import typer

from local.commands.registry_options import (
    DEFAULT_RELEASES,
    AsJson,
    MlflowUri,
    Releases,
    only_contract,
    print_promotion,
)

Release = Annotated[str, typer.Argument(metavar="RELEASE", help="VERSION (12 hex digits), or CONTRACT/VERSION.")]
Breaking = Annotated[
    bool, typer.Option("--breaking", help="Even if its contract removes or retypes what the champion's has.")
]


def promote(
    release: Release,
    releases: Releases = DEFAULT_RELEASES,
    mlflow: MlflowUri = "",
    *,
    breaking: Breaking = False,
    as_json: AsJson = False,
) -> None:
    """Make a release the champion of its contract; the champion so far becomes the previous one.

    Its files must be unaltered, its gates passed, its contract fit for those who call the champion now, and, where the
    contract asks for a profit over the champion, it must have been compared with this one.

    Example:  ebb promote telco/0123456789ab
    """
    from training.promote import promote as run  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.registry.address import check_uri  # noqa: PLC0415

    named, _, version = release.strip("/").rpartition("/")
    contract = only_contract(releases, named.rpartition("/")[2] or None)
    done = run(contract, version, releases, registry_uri=check_uri(mlflow), breaking=breaking)
    print_promotion(done, releases, as_json=as_json)
