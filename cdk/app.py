"""What `cdk` runs: the stacks of one stage, named by `-c stage=dev|staging|prod`."""

import os
import sys

from cdk.node import NoNode, node_variables
from cdk.stage import BadStage

_UNCHECKED = {"CDK_VALIDATION": "false"}
"""CDK's own rules take two thirds of a synth, and cfn-lint holds every template against the same schemas in the tests.

Set to true, they are asked as well. cdk-nag is asked always.
"""


def main() -> int:
    """Synthesize; exit code 2 and a sentence where the stage or Node cannot be had."""
    try:
        os.environ.update({**_UNCHECKED, **os.environ, **node_variables(os.environ)})
        _synthesize()
    except (BadStage, NoNode) as error:
        sys.stderr.write(f"cdk: {error}\n")
        return 2
    return 0


def _synthesize() -> None:
    import aws_cdk as aws  # noqa: PLC0415 - starts Node, which had to be chosen before

    from cdk.assemble import assemble  # noqa: PLC0415 - as above
    from cdk.stages import stage_named  # noqa: PLC0415 - wrong values are told as a sentence, like a wrong name

    app = aws.App()
    assemble(app, stage_named(str(app.node.try_get_context("stage") or "")))
    app.synth()


if __name__ == "__main__":
    sys.exit(main())
