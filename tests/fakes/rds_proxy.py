"""What stands in for RDS Proxy: it speaks TLS, takes tokens of IAM and no passwords, and enters a plain Postgres.

The Postgres behind it lets in, without a password, whomever the proxy has let in; it is the real server of the wheel.
A token's signature is not verified (nobody here holds the key); that it was made for this address and user is.
"""

import asyncio
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.fakes.postgres_tls_door import TLS_WANTED
from tests.fakes.tls_door import Opened, context_of, copy, door

PORT = 5432
"""The templates' own: RDS Proxy listens nowhere else."""
_PASSWORD_WANTED = struct.pack("!cii", b"R", 8, 3)
_TRIES = 50


def free_address() -> str:
    """Return an address of this machine's loopback network whose port 5432 nobody has.

    Raises:
        OSError: none was found; macOS knows 127.0.0.1 alone.
    """
    for _ in range(_TRIES):
        address = f"127.{random.randint(16, 254)}.{random.randint(0, 254)}.{random.randint(2, 254)}"  # noqa: S311
        with socket.socket() as probe:
            if probe.connect_ex((address, PORT)) != 0:
                return address
    raise OSError("no loopback address has a free port 5432")


@contextmanager
def rds_proxy(address: str, postgres: int, certificate: Path, key: Path) -> Iterator[list[str]]:
    """Listen on port 5432 of an address, and yield the users that were let in, one for each connection.

    Args:
        address: of the loopback network.
        postgres: loopback port of the server behind it.
        certificate, key: of the proxy.
    """
    context, entered = context_of(certificate, key), list[str]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened: Opened) -> None:
        if await reader.readexactly(8) != TLS_WANTED:
            writer.close()
            return
        writer.write(b"S")
        await writer.drain()
        await writer.start_tls(context)
        size = await reader.readexactly(4)
        startup = size + await reader.readexactly(int.from_bytes(size) - 4)
        user = _user(startup)
        writer.write(_PASSWORD_WANTED)
        await writer.drain()
        if not is_token(await _said(reader), address, user):
            writer.write(_refusal(user))
            await writer.drain()
            writer.close()
            return
        entered.append(user)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", postgres)
        opened.append(inner_writer)
        inner_writer.write(startup)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    with door(connected, at=(address, PORT)):
        yield entered


def is_token(said: str, address: str, user: str) -> bool:
    """Tell whether a password is a token by which a user connects to this proxy."""
    url = urlsplit(f"https://{said}")
    asked = parse_qs(url.query)
    signed = asked.get("X-Amz-Algorithm") == ["AWS4-HMAC-SHA256"] and bool(asked.get("X-Amz-Signature"))
    return signed and url.netloc == f"{address}:{PORT}" and asked.get("DBUser") == [user]


def _user(startup: bytes) -> str:
    words = startup[8:].split(b"\0")
    return dict(zip(words[::2], words[1::2], strict=False))[b"user"].decode()


async def _said(reader: asyncio.StreamReader) -> str:
    kind, size = struct.unpack("!ci", await reader.readexactly(5))
    content = await reader.readexactly(size - 4)
    return content.rstrip(b"\0").decode() if kind == b"p" else ""


def _refusal(user: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C28P01\0MIAM authentication failed for the user {user}\0\0".encode()
    return struct.pack("!ci", b"E", len(fields) + 4) + fields
