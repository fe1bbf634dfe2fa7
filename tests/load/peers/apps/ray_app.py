"""Ray Serve's deployment around the graph, with one replica; serves until it is ended."""

import signal
import sys
from typing import Any

from graph import Graph  # type: ignore[import-not-found]  # a neighbour on the peer's path
from ray import init, serve, shutdown  # type: ignore[import-not-found]  # of the peer's environment
from starlette.requests import Request


class Scorer:
    """Scores one row a request."""

    def __init__(self) -> None:
        self._graph = Graph()

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Score one row."""
        row = await request.json()
        return {"entity_id": row["entity_id"], "probability": self._graph.one(row["numbers"], row["categories"])}


def main(port: int, folder: str) -> None:
    """Serve on a port until a signal comes."""
    init(num_cpus=2, include_dashboard=False, _temp_dir=folder, _node_ip_address="127.0.0.1", log_to_driver=False)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port, "access_log": False})
        one = serve.deployment(num_replicas=1, max_ongoing_requests=64)(Scorer)
        serve.run(one.bind(), route_prefix="/predict", logging_config={"enable_access_log": False})
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    finally:
        shutdown()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(int(sys.argv[1]), sys.argv[2])
