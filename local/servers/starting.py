"""Starting a server: until it answers, or with a sentence why not; never half."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import TypeVar

from ebb.errors import EbbError, Unavailable
from local.servers.child import Child
from local.servers.ports import free_port

Server = TypeVar("Server")
_POLL_SECONDS = 0.005
_ATTEMPTS = 5


class Aborted(EbbError):
    """A start was given up because somebody asked for it."""


class PortTaken(Unavailable):
    """The port that a server was told to listen on is in use."""


def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it.

    Raises:
        Unavailable: it is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(f"The package {package} is not installed; install Ebb's requirements first.")
    return Path(next(iter(spec.submodule_search_locations)))


def on_port(port: int, start: Callable[[int], Server]) -> Server:
    """Call `start` with `port`, or with a free one for 0, and with another one when that was taken meanwhile.

    Raises:
        PortTaken: the named port is in use.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return start(port or free_port())
        except PortTaken:
            if port or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError  # pragma: no cover (the loop returns or raises)


def wait_ready(child: Child, ready: Callable[[], bool], *, port: int, seconds: float, abort: Event | None) -> None:
    """Wait until a server just started answers.

    Args:
        child: the server's process.
        ready: asks it something; True when it answered.
        port: where it should listen, for messages.
        seconds: how long to wait at most.
        abort: give up when this is set.

    Raises:
        Aborted: `abort` was set.
        PortTaken: the server found its port in use.
        Unavailable: it ended, or did not answer in time; the sentence quotes its log's last line.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if abort is not None and abort.is_set():
            raise Aborted(f"The start of {child.name} was given up on request.")
        if child.exit_code() is not None:
            raise _ended(child, port)
        if time.monotonic() > deadline:
            raise Unavailable(
                f"{child.name} did not answer on port {port} within {seconds:g} s; see its log {child.log}."
            )
        time.sleep(_POLL_SECONDS)


def _ended(child: Child, port: int) -> Unavailable:
    output = child.output()
    if "ddress already in use" in output:
        return PortTaken(f"{child.name} found port {port} in use; name another port, or end what listens there.")
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "nothing")
    return Unavailable(f"{child.name} ended while it was starting; its log {child.log} ends with: {last}")
