"""What `cdk` runs: the stacks of one stage, named by `-c stage=dev|staging|prod`."""

import os
import sys
from pathlib import Path

from cdk.archives import ArchiveError, unpacked
from cdk.node import NoNode, node_variables
from cdk.stage import BadStage

_UNCHECKED = {"CDK_VALIDATION": "false"}
"""CDK's own rules take two thirds of a synth, and cfn-lint holds every template against the same schemas in the tests.

Set to true, they are asked as well. cdk-nag is asked always.
"""
_ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Synthesize; exit code 2 and a sentence where the stage, Node or an archive cannot be used."""
    try:
        os.environ.update({**_UNCHECKED, **os.environ, **node_variables(os.environ)})
        _synthesize()
    except (ArchiveError, BadStage, NoNode) as error:
        sys.stderr.write(f"cdk: {error}\n")
        return 2
    return 0


def _synthesize() -> None:
    import aws_cdk as aws  # noqa: PLC0415 - starts Node, which had to be chosen before

    from cdk.assemble import assemble  # noqa: PLC0415 - as above
    from cdk.stages import stage_named  # noqa: PLC0415 - wrong values are told as a sentence, like a wrong name

    app = aws.App()
    stage = stage_named(str(app.node.try_get_context("stage") or ""))
    assemble(app, stage)
    app.synth()
    if missing := unpacked(_ROOT, stage.serving.architecture):
        sys.stderr.write(
            f"cdk: not packed from what the sources are now: {', '.join(missing)}; run `ebb package --arch "
            f"{stage.serving.architecture}` before this is deployed\n"
        )


if __name__ == "__main__":
    sys.exit(main())
