"""The postflight's composition."""

import time
from collections.abc import Mapping

from ebb.aws.client import AwsClient
from ebb.aws.credentials import Credentials
from ebb.aws.deployments import CodeDeployments
from ebb.aws.functions import LambdaFunction
from ebb.log import LOG
from ebb.shift.hook import TELL_SECONDS, Hook
from ebb.shift.settings import ShiftSettings
from lambdas.postflight.logic import Postflight


def make_hook(environment: Mapping[str, str]) -> Hook:
    """Return what tells CodeDeploy how it ended; nothing that the environment says can fail here."""
    return Hook("postflight", CodeDeployments(_client(environment), environment, TELL_SECONDS / 2), LOG)


def bootstrap(environment: Mapping[str, str]) -> Postflight:
    """Wire the function.

    Raises:
        Misuse: a variable of the environment is missing.
    """
    settings = ShiftSettings.from_environment(environment)
    function = LambdaFunction(_client(environment), environment, settings.function)
    return Postflight(function, settings.alias, settings.target, time.monotonic, time.sleep)


def _client(environment: Mapping[str, str]) -> AwsClient:
    return AwsClient(lambda: Credentials.in_environment(environment))
