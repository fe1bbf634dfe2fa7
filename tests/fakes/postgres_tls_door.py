"""An encrypted door to a plain Postgres: it answers the request for TLS as the server would, and then forwards.

The server of the wheel is built without OpenSSL, so the encryption ends here; what comes out is the real server's.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.tls_door import Opened, context_of, copy, door

TLS_WANTED = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@contextmanager
def postgres_tls_door(port: int, certificate: Path, key: Path, *, willing: bool = True) -> Iterator[int]:
    """Yield a loopback port that speaks TLS and forwards to `port`; an unwilling one says that it speaks none."""
    context = context_of(certificate, key)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened: Opened) -> None:
        assert await reader.readexactly(8) == TLS_WANTED, "nothing may be said before it is encrypted"
        writer.write(b"S" if willing else b"N")
        await writer.drain()
        if willing:
            await writer.start_tls(context)
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            opened.append(inner_writer)
            await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
        else:
            writer.close()

    with door(connected) as opened_port:
        yield opened_port
