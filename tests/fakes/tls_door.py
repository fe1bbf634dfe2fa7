"""An encrypted door to a plain server, with a certificate made for it."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


def certificate(folder: Path, *more: str) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1, and more addresses, that signs itself, and its key; return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fast tier")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address(each)) for each in ("127.0.0.1", *more)])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - _DAY, now + _DAY)
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "certificate.pem", folder / "key.pem"
    certificate_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path


Opened = list[asyncio.StreamWriter]
Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Opened], Coroutine[Any, Any, None]]


@contextmanager
def tls_door(port: int, certificate_path: Path, key_path: Path) -> Iterator[int]:
    """Yield a loopback port that speaks TLS and forwards to `port`."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opened: Opened) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        opened.append(inner_writer)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    with door(connected, tls=context_of(certificate_path, key_path)) as opened_port:
        yield opened_port


def context_of(certificate_path: Path, key_path: Path) -> ssl.SSLContext:
    """Return what a server speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path, key_path)
    return context


@contextmanager
def door(
    connected: Connected, tls: ssl.SSLContext | None = None, at: tuple[str, int] = ("127.0.0.1", 0)
) -> Iterator[int]:
    """Yield a loopback port whose connections are handed to `connected`; what it opens is closed with the door."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened: Opened = []

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            await connected(reader, writer, opened)

    starting = asyncio.start_server(met, *at, ssl=tls)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(ended(server, opened), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def ended(server: asyncio.Server, opened: Iterable[asyncio.StreamWriter]) -> None:
    """Close a door, and whatever still goes through it."""
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for writer in opened:
        writer.transport.abort()
    for _ in range(5):  # turns of the loop, in which it lets go of the sockets
        await asyncio.sleep(0)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what comes until nothing does."""
    try:
        while content := await reader.read(65_536):
            writer.write(content)
            await writer.drain()
    finally:
        writer.close()
