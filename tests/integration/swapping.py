"""Callers of a local cloud whose releases are swapped, and what its environments say of it in their logs."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ebb.event_log.reading import Torn, read_lines
from ebb.folder import FolderReleases
from ebb.release import manifest as m
from ebb.release.golden import GoldenExample, golden_from_bytes, golden_to_bytes
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.releases import tiny_release, version_in, with_manifest
from tests.home import Home

OK = 200
_PAUSE_SECONDS = 0.002
_DEADLINE_SECONDS = 90.0
READ_TIMEOUT_SECONDS = 0.01
"""After which a prediction gives Valkey up."""


@dataclass(frozen=True)
class Answered:
    """One answer as its caller saw it; `began` and `ended` are monotonic seconds."""

    began: float
    ended: float
    status: int
    release: str
    prediction_id: str
    degraded: bool

    @property
    def seconds(self) -> float:
        """How long the caller waited."""
        return self.ended - self.began

    @property
    def prompt(self) -> bool:
        """Whether Valkey must have told the routing version: an answer without its word waits for its time-out first.

        On a machine that is busy with other tests a read can take longer than that; the answer then goes by what its
        environment knew, as it must.
        """
        return self.seconds < READ_TIMEOUT_SECONDS


@dataclass
class Callers:
    """Callers who ask one after the other, each on a connection of its own, until they are told to stop."""

    url: str
    token: str
    answers: list[Answered] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=60)

    def ask(self, client: httpx.Client, entity_id: str) -> Answered:
        """Ask once, and keep the answer."""
        began = time.monotonic()
        response = client.post("/v1/predictions", json={"entity_id": entity_id, "features": ROW})
        ended, document = time.monotonic(), response.json()
        answered = Answered(
            began,
            ended,
            response.status_code,
            str(document.get("release")).rpartition("/")[2],
            str(document.get("prediction_id")),
            bool(document.get("degraded", True)),
        )
        self.answers.append(answered)
        return answered

    @contextmanager
    def calling(self, number: int) -> Iterator[None]:
        """Let so many callers ask while the block runs; whatever one of them met fails the test."""
        self.over.clear()
        threads = [threading.Thread(target=self._work, args=(each,)) for each in range(number)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        assert not self.failures, self.failures

    def _work(self, number: int) -> None:
        asked = 0
        with self.client() as client:
            while not self.over.wait(_PAUSE_SECONDS):
                asked += 1
                try:
                    self.ask(client, f"caller-{number}-{asked}")
                except Exception as error:  # noqa: BLE001 - shown at the end
                    self.failures.append(error)
                    return


def until(holds: Callable[[], bool], seconds: float = _DEADLINE_SECONDS) -> None:
    """Poll until something holds; fail when it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.01)


def logs(home: Home) -> list[bytes]:
    """Return what each environment of the prediction function has written."""
    return [path.read_bytes() for path in sorted((home.state_home / "functions").glob("predict-*.log"))]


def by_environment(home: Home, answers: Sequence[Answered]) -> list[list[tuple[Answered, Mapping[str, Any]]]]:
    """Return the answers of each environment in its order, each with what its event tells openly."""
    known = {answered.prediction_id: answered for answered in answers}
    found = []
    for log in logs(home):
        lines = [line for line in read_lines(log) if not isinstance(line, Torn)]
        events = [event.open for line in lines for event in line.events]
        found.append([(known[event["id"]], event) for event in events if event["id"] in known])
    return found


def long_release(bias: float, examples: int) -> dict[str, bytes]:
    """Return a release that takes long to load: it has as many golden examples to be checked."""
    files = {name: content for name, content in tiny_release(bias).items() if name != m.MANIFEST}
    few = golden_from_bytes(files[m.GOLDEN])
    files[m.GOLDEN] = golden_to_bytes((few * (examples // len(few) + 1))[:examples])
    return with_manifest(files, tiny_contract())


def broken_release(bias: float) -> dict[str, bytes]:
    """Return a release that is whole and unaltered, and whose graph answers its golden examples differently."""
    files = {name: content for name, content in tiny_release(bias).items() if name != m.MANIFEST}
    examples = golden_from_bytes(files[m.GOLDEN])
    files[m.GOLDEN] = golden_to_bytes([GoldenExample(e.why, e.features, e.probability / 2) for e in examples])
    return with_manifest(files, tiny_contract())


def write_releases(folder: Path, releases: Sequence[Mapping[str, bytes]]) -> list[str]:
    """Write releases into the store of a home, the first as the champion; return their versions."""
    store, versions = FolderReleases(folder / "releases"), [version_in(files) for files in releases]
    for version, files in zip(versions, releases, strict=True):
        store.write("tiny", version, files)
    store.set_champion("tiny", versions[0])
    return versions
