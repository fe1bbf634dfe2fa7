"""Headless Chromium, opened on one page: what the page came to, and what it asked for.

It is given a proxy that answers nothing and remembers who was asked for, so that a page that wants anything from
anywhere is found out. What is emulated: a reader's browser without a network.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

DEADLINE = 150.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# as a child that dies with its parent; the flag outlives exec
_START = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execvp(sys.argv[1], sys.argv[1:])"
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-extensions",
    "--virtual-time-budget=2000",
    "--metrics-recording-only",
    "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication",
)
_ITS_MAKERS = re.compile(r"\b[\w.]+\.(google|googleapis|gvt1|gstatic)\.com\b")
_DARK = "--blink-settings=preferredColorScheme=0"
_FRAME = (
    '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title></title>'
    '<iframe style="{size}" srcdoc="{inner}"></iframe>'
)
_LIGHT = "--blink-settings=preferredColorScheme=1"


@dataclass
class Proxy:
    """A proxy on loopback that hangs up on everybody, and the first lines that it was sent."""

    port: int
    asked: list[str] = field(default_factory=list)

    def others(self) -> list[str]:
        """What was asked for beside what the browser asks its maker on its own account, and no page can make it ask."""
        return [line for line in self.asked if not _ITS_MAKERS.search(line)]


@contextmanager
def deaf_proxy() -> Iterator[Proxy]:
    """Lend a proxy; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Proxy(server.getsockname()[1])
        listener = threading.Thread(target=_listen, args=(server, proxy), daemon=True)
        listener.start()
        try:
            yield proxy
        finally:
            server.shutdown(socket.SHUT_RDWR)
            listener.join(DEADLINE)


def _listen(server: socket.socket, proxy: Proxy) -> None:
    while True:
        try:
            caller, _ = server.accept()
        except OSError:
            return
        with caller:
            caller.settimeout(5)
            try:
                proxy.asked.append(caller.recv(4096).split(b"\r\n")[0].decode(errors="replace"))
            except OSError:
                proxy.asked.append("")


@dataclass(frozen=True)
class Browser:
    """Chromium with a new profile for each page, since one that is still closing would take the next page over.

    Attributes:
        program: its path.
        folder: for profiles and pages.
        proxy: through which it would ask.
    """

    program: str
    folder: Path
    proxy: Proxy

    def measured(self, page: str, script: str, *, width: int = 390, dark: bool = False) -> dict[str, Any]:
        """Open a copy of a page with a script at its end, and return the JSON that it puts into the outer title.

        The page stands in a frame, since a window is never narrower than 500 pixels.
        """
        inner = escape(page.replace("</body>", f"<script>{script}</script></body>"))
        size = f"width:{width}px;height:800px;border:0"
        copy = self.folder / "page.html"
        copy.write_text(_FRAME.format(size=size, inner=inner), encoding="utf-8")
        dumped = self.run(copy, "--dump-dom", width=max(width, 500) + 100, dark=dark)
        title = re.search(r"<title>(.*?)</title>", dumped, re.DOTALL)
        assert title is not None, dumped[:500]
        told: dict[str, Any] = json.loads(unescape(title[1]))
        return told

    def run(self, page: Path, *task: str, width: int = 390, dark: bool = False) -> str:
        """Open a page, do one thing with it, and return what was printed."""
        flags = [
            *_QUIET,
            _DARK if dark else _LIGHT,
            f"--user-data-dir={tempfile.mkdtemp(prefix='profile', dir=self.folder)}",
            f"--proxy-server=http://127.0.0.1:{self.proxy.port}",
            "--proxy-bypass-list=<-loopback>",
            f"--window-size={width},900",
        ]
        command = [sys.executable, "-c", _START, self.program, *flags, *task, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
        return done.stdout


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Lend a browser; without Chromium the test is skipped, loudly."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"LOUD: no browser to look at the card with; install one of {', '.join(_NAMES)}")
    with deaf_proxy() as proxy:
        yield Browser(program, tmp_path_factory.mktemp("browser"), proxy)
