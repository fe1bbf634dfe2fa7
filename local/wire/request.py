"""One parsed HTTP request, as the local servers see it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """A request whose head and body have arrived.

    Attributes:
        method: as sent, upper case.
        target: path and query exactly as sent.
        headers: lower-cased names; values of a repeated header are joined by commas; cookies are kept apart.
        cookies: each cookie as "name=value", in the order sent.
        body: the whole body.
        protocol: "HTTP/1.1" or "HTTP/1.0".
        peer: the caller's address.
        refused: the status to refuse with when the request could not be read, else 0.
        keep_alive: whether the connection may stay open after the answer.
    """

    method: str = ""
    target: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    body: bytes = b""
    protocol: str = "HTTP/1.1"
    peer: str = "127.0.0.1"
    refused: int = 0
    keep_alive: bool = True

    def add_header(self, name: str, value: str) -> None:
        """Take one header in; repeated ones are joined as API Gateway joins them."""
        if name == "cookie":
            self.cookies.extend(part for raw in value.split(";") if (part := raw.strip()))
            return
        known = self.headers.get(name)
        self.headers[name] = value if known is None else f"{known},{value}"
