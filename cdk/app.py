"""What `cdk` runs: the stacks of one stage, named by `-c stage=dev|staging|prod`."""

import os
import sys

import aws_cdk as aws

from cdk.assemble import assemble
from cdk.stage import BadStage
from cdk.stages import stage_named


def main() -> int:
    """Synthesize; exit code 2 and a sentence where the stage cannot be had."""
    app = aws.App()
    try:
        assemble(app, stage_named(str(app.node.try_get_context("stage") or "")))
    except BadStage as error:
        sys.stderr.write(f"cdk: {error}\n")
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    sys.exit(main())
