"""A server of HTTP/1.1 that keeps its connections and answers what a test wrote down: for clients, not for browsers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answering:
    """What is answered, and what was asked.

    Attributes:
        url: where it listens.
        answers: (status, body, what else) of the next requests; the last one stays. `close` ends the connection
            after the answer without a word, `trickle` sends a byte a time until the client has gone.
        asked: method, path and the client's port of each request.
        heads: headers of each request, names in lower case.
    """

    url: str = ""
    answers: list[tuple[int, bytes, str]] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def answering(*answers: tuple[int, bytes, str]) -> Iterator[Answering]:
    """Run one on a free loopback port."""
    told, ended = Answering(answers=list(answers)), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.asked.append((self.command, self.path, self.client_address[1]))
            told.heads.append({name.lower(): value for name, value in self.headers.items()})
            status, body, how = told.answers[0] if len(told.answers) == 1 else told.answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if how == "trickle":
                self._trickle(body)
            else:
                self.wfile.write(body)
            self.close_connection = how == "close"

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - http.server's own names

        def _trickle(self, body: bytes) -> None:
            for each in body:
                if ended.wait(0.02):
                    return
                try:
                    self.wfile.write(bytes([each]))
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield told
    finally:
        ended.set()
        server.shutdown()
        thread.join(10)
        server.server_close()
