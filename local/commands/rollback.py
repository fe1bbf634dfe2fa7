"""`ebb rollback`: the champion before, at once."""

from local.commands.registry_options import (
    DEFAULT_RELEASES,
    AsJson,
    ContractName,
    MlflowUri,
    Releases,
    only_contract,
    print_promotion,
)


def rollback(
    contract: ContractName = None,
    releases: Releases = DEFAULT_RELEASES,
    mlflow: MlflowUri = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Let champion and previous champion change places: one step, which needs no registry.

    Example:  ebb rollback --contract telco
    """
    from training.promote import roll_back  # noqa: PLC0415 - keeps `ebb --help` quick
    from training.registry.address import check_uri  # noqa: PLC0415

    done = roll_back(only_contract(releases, contract), releases, registry_uri=check_uri(mlflow))
    print_promotion(done, releases, as_json=as_json)
