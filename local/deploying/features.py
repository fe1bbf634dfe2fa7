"""Step `features`: a table's features, written over HTTPS as any client would write them."""

from pathlib import Path

from local.deploying.deployment import Deployment
from local.deploying.step import Outcome
from local.terminal import counted


class Features:
    """The step."""

    name = "features"

    def look(self, at: Deployment) -> Outcome:
        """Name the table."""
        if at.features is None:
            return Outcome("skipped", "no table was named with --features")
        return Outcome("would", f"would load {at.features} over HTTPS, or what of it was not loaded before")

    def take(self, at: Deployment) -> Outcome:
        """Load the table."""
        if at.features is None:
            return Outcome("skipped", "no table was named with --features")
        from local.loading.load import Table  # noqa: PLC0415 - pyarrow takes a moment
        from local.loading.over_https import load_over_https  # noqa: PLC0415 - as above
        from local.loading.stage_contract import stage_contract  # noqa: PLC0415 - as above

        contract = stage_contract(at.stage.name, at.caller, None, at.served.releases)
        loaded = load_over_https(Table(at.features, contract, _folder(at)), at.caller, at.progress)
        new = loaded.rows - loaded.resumed_from
        refused = f", {counted(loaded.refused, 'row')} refused (see {loaded.refused_file})" if loaded.refused else ""
        return Outcome(
            "done" if new else "already",
            f"{counted(loaded.rows, 'row')} of {at.features.name}, {new:,} of them now{refused}",
        )


def _folder(at: Deployment) -> Path:
    folder = at.folder / "loads"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
