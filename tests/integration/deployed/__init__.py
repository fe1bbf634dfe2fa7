"""A stage's templates on MiniStack: what it cannot take is left out by one rule, the rest is deployed and answers."""

import os

from cdk.node import node_variables

os.environ.update(node_variables(os.environ))  # before anything of this package imports CDK, which starts Node
os.environ.setdefault("CDK_VALIDATION", "false")  # as `cdk.app` does
