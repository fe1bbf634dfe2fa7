"""Addresses of endpoints, as users write them."""

import ipaddress

import httpx

from ebb.errors import Misuse


def checked_address(address: str) -> str:
    """Return an address without its last slash.

    Raises:
        Misuse: it is none, or would send tokens over the network in plain text.
    """
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError):
        raise Misuse(f"{address!r} is no address; it looks like https://api.example.com") from None
    if url.scheme not in {"http", "https"} or not url.host or url.query or url.fragment or url.userinfo:
        raise Misuse(f"{address!r} is no address of an endpoint; it looks like https://api.example.com")
    if url.scheme == "http" and not _is_loopback(url.host):
        raise Misuse(f"{address} would send the token in plain text; use https (http only to this machine)")
    return str(url).rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
