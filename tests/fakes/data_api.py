"""The RDS Data API, emulated: its one call ExecuteStatement as JSON over HTTP, run on a real Postgres.

Signatures are not checked, and there are no transactions and no parameters. Wire shape: botocore's model of `rds-data`
(2018-08-01). Users that were made are given a password, which stands in for a token of IAM.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ebb.postgres.address import PostgresAddress
from ebb.postgres.connection import PostgresConnection
from ebb.postgres.refusal import Refused

CLUSTER = "arn:aws:rds:us-east-1:123456789012:cluster:ebb-dev"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds"


@dataclass
class DataApi:
    """What the tests tell it, and what it saw.

    Attributes:
        administrator: as whom statements are run.
        users: that get the administrator's password once they are there.
        url: where it listens.
        resuming: so many calls are answered as a paused cluster answers.
        asked: the statements.
    """

    administrator: PostgresAddress
    users: Sequence[str]
    url: str = ""
    resuming: int = 0
    asked: list[str] = field(default_factory=list)

    def execute(self, sent: dict[str, Any]) -> tuple[int, str, dict[str, Any]]:
        """Answer one call: status, type of the error, document."""
        if (sent["resourceArn"], sent["secretArn"]) != (CLUSTER, SECRET):
            return 404, "DatabaseNotFoundException", {"message": "no such cluster"}
        if sent.get("database") != self.administrator.database:
            return 400, "DatabaseErrorException", {"message": "FATAL: database does not exist"}
        if self.resuming:
            self.resuming -= 1
            return 400, "DatabaseResumingException", {"message": "The Aurora DB instance is resuming after a pause"}
        self.asked.append(sent["sql"])
        connection = PostgresConnection(self.administrator)
        try:
            rows = connection.query(sent["sql"])
            self._let_in(connection)
        except Refused as error:
            return 400, "DatabaseErrorException", {"message": f"ERROR: {error}; SQLState: {error.code}"}
        finally:
            connection.close()
        return 200, "", {"records": [[{"stringValue": str(cell)} for cell in row] for row in rows or []]}

    def _let_in(self, connection: PostgresConnection) -> None:
        for (user,) in connection.query("select rolname from pg_roles"):
            if user in self.users:
                connection.query(f"alter role {user} password '{self.administrator.password}'")


@contextmanager
def data_api(administrator: PostgresAddress, users: Sequence[str]) -> Iterator[DataApi]:
    """Run one on a free loopback port."""
    api = DataApi(administrator, users)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, kind, document = api.execute(sent) if self.path == "/Execute" else (404, "UnknownOperation", {})
            body = json.dumps(document).encode()
            self.send_response(status)
            if kind:
                self.send_header("x-amzn-ErrorType", kind)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
