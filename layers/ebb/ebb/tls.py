"""Encrypted connections: who is trusted."""

import ssl
from functools import cache

from ebb.errors import Misuse


def trusting(ca_file: str = "") -> ssl.SSLContext:
    """Return the context of connections that verify the server's certificate and name; made once, it takes long.

    Args:
        ca_file: a PEM file of authorities to trust besides the system's; empty for none.

    Raises:
        Misuse: the file cannot be read, or holds no certificate.
    """
    return _made(ca_file)


@cache
def _made(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ValueError):  # an SSLError is an OSError
            raise Misuse(
                f"{ca_file} is no PEM file of certificates: name the authorities that sign the server"
            ) from None
    return context
