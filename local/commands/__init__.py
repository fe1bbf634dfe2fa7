"""One module a subcommand of `ebb`: reads its options, calls one function, prints the answer."""

from collections.abc import Callable

from local.commands.build import build
from local.commands.check import check
from local.commands.cost import cost
from local.commands.deploy import deploy
from local.commands.down import down
from local.commands.evaluate import evaluate
from local.commands.init import init
from local.commands.job.run import run as run_job
from local.commands.job.stop import stop as stop_job
from local.commands.load import load
from local.commands.package import package
from local.commands.promote import promote as promote_release
from local.commands.releases import releases
from local.commands.rollback import rollback as roll_back
from local.commands.route.profit import profit
from local.commands.route.promote import promote
from local.commands.route.rollback import rollback
from local.commands.route.set import set_roles
from local.commands.route.show import show as show_routing
from local.commands.score import score
from local.commands.status import status
from local.commands.subject.erase import erase
from local.commands.subject.show import show
from local.commands.synthesize import synthesize
from local.commands.token import token
from local.commands.train import train
from local.commands.up import up
from local.commands.validate import validate

COMMANDS: dict[str, Callable[..., object]] = {
    "synthesize": synthesize,
    "init": init,
    "build": build,
    "validate": validate,
    "train": train,
    "evaluate": evaluate,
    "releases": releases,
    "promote": promote_release,
    "rollback": roll_back,
    "up": up,
    "load": load,
    "status": status,
    "down": down,
    "package": package,
    "cost": cost,
    "deploy": deploy,
    "token": token,
    "score": score,
    "check": check,
}
GROUPS: dict[str, tuple[str, dict[str, Callable[..., object]]]] = {
    "job": ("Training's steps as SageMaker jobs, here or there.", {"run": run_job, "stop": stop_job}),
    "subject": ("What is held of one entity, and its erasure.", {"show": show, "erase": erase}),
    "route": (
        "Which releases serve, and with which weights.",
        {"show": show_routing, "set": set_roles, "promote": promote, "rollback": rollback, "profit": profit},
    ),
}
"""Commands of two words: the first one's help, and the second ones."""
