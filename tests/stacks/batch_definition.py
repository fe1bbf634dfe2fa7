"""The definition of batch scoring as the stack deploys it, and the command that accepts what `training` writes.

python -m tests.stacks.batch_definition
"""

import sys

from stacks.constructs.batch_scoring import DEFINITION
from training.batch.cloud_scoring import CloudScoring
from training.batch.state_machine import as_json, state_machine


def written() -> str:
    """Return the definition with the names that the stack puts image and role in place of."""
    return as_json(state_machine(CloudScoring(image="${Image}", role="${Role}")))


if __name__ == "__main__":
    DEFINITION.write_text(written())
    sys.stdout.write(f"{DEFINITION.name} is what training writes now\n")
