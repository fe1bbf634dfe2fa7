"""The contract by which a table is loaded into a stage."""

from pathlib import Path

from cdk.stages import stage_named
from ebb.contract import Contract
from ebb.errors import Misuse, NoRelease
from ebb.folder import FolderReleases
from ebb.release.load import load_contract
from local.calling.caller import Caller
from training.contract_file import read_contract

RELEASES = Path("releases")
"""Where releases lie here, from which a stage's champion was published."""


def stage_contract(stage: str, caller: Caller, named: Path | None, releases: Path = RELEASES) -> Contract:
    """Return the contract: the named one, else that of the stage's champion, as it lies here.

    Args:
        stage: its name.
        caller: asks who the champion is, where no contract is named.
        named: a contract's file.
        releases: the folder of releases here.

    Raises:
        Misuse: the contract describes another problem than the stage serves, or the champion does not lie here.
        ContractError, ReleaseError: the contract cannot be used, or the release is altered.
        Refused, Unavailable: see `Caller`.
    """
    served = stage_named(stage).contract
    if named is not None:
        contract = read_contract(named)[0]
        if contract.name != served:
            raise Misuse(f"the stage {stage!r} serves {served!r}, but this contract describes {contract.name!r}")
        return contract
    roles = caller.show_routing()["roles"]
    champion = next(role["release"] for role in roles if role["role"] == "champion")
    try:
        return load_contract(FolderReleases(releases), served, champion)
    except NoRelease:
        raise Misuse(
            f"the champion {champion} of the stage {stage!r} does not lie in {releases / served}: say which contract "
            "explains the columns with --contract"
        ) from None
