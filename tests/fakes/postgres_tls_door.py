"""An encrypted door to a plain Postgres: it answers the request for TLS as the server would, and then forwards.

The server of the wheel is built without OpenSSL, so the encryption ends here; what comes out is the real server's.
"""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.fakes.tls_door import copy, ended

_TLS_WANTED = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@contextmanager
def postgres_tls_door(port: int, certificate: Path, key: Path, *, willing: bool = True) -> Iterator[int]:
    """Yield a loopback port that speaks TLS and forwards to `port`; an unwilling one says that it speaks none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            assert await reader.readexactly(8) == _TLS_WANTED, "nothing may be said before it is encrypted"
            writer.write(b"S" if willing else b"N")
            await writer.drain()
            if willing:
                await writer.start_tls(context)
                inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
                opened.append(inner_writer)
                await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))
            else:
                writer.close()

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(connected, "127.0.0.1", 0), loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(ended(server, opened), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
