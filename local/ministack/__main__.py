"""MiniStack with what it lacks: `python -m local.ministack`, by the Python of `.tools/ministack`.

Its Step Functions, its tokens and the names of its secrets are added to. Reads BIND_HOST and GATEWAY_PORT, as MiniStack
does, and AWS_ENDPOINT_URL_SAGEMAKER: where processing jobs are run.
"""

import os
import socket
import sys
from importlib import import_module

from local.ministack.clients import client_of
from local.ministack.distributed_map import DistributedMap
from local.ministack.integrations import Integrations
from local.ministack.patience import give_time
from local.ministack.secret_names import SecretNames
from local.ministack.tokens import Tokens


def main() -> None:
    """Serve until a signal ends it."""
    host, port = os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"])
    socket.create_server((host, port)).close()  # says "Address already in use" where it is; MiniStack says it otherwise
    own = f"http://{host}:{port}"
    states = import_module("ministack.services.stepfunctions")
    give_time(states)
    DistributedMap(states, lambda: client_of("s3", own)).install()
    sagemaker = os.environ.get("AWS_ENDPOINT_URL_SAGEMAKER", "")
    Integrations(states, lambda: client_of("s3", own), lambda: client_of("sagemaker", sagemaker)).install()
    Tokens(import_module("ministack.services.cognito"), import_module("ministack.services.apigateway")).install()
    SecretNames(import_module("ministack.services.cloudformation.provisioners")).install()
    sys.argv = ["ministack"]
    import_module("ministack.app").main()


if __name__ == "__main__":
    main()
