"""A local cloud whose champion has variants, and what asks it and swaps them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import pyarrow.parquet as pq

from ebb.errors import Unavailable
from ebb.folder import FolderReleases
from tests.home import ROOT, Home
from tests.load.paced import Pace, Sent
from tests.load.peers.process_cpu import resident_mb
from tests.load.variants import write_variants

CONTRACT = "synthetic"
_ENTITIES = 1_000
_SECONDS = 60


@dataclass(frozen=True)
class SwapCase:
    """A cloud that is up.

    Attributes:
        home: its home.
        versions: the champion's and those of its variants.
        entities: whose features are stored.
        admin: may change the routing table.
        token: may predict.
    """

    home: Home
    versions: Sequence[str]
    entities: Sequence[str]
    admin: httpx.Client
    token: str

    def promote(self, version: str) -> None:
        """Make a release the champion; returns when the change stands.

        Raises:
            Unavailable: it was refused; carries the answer.
        """
        self._change("POST", "/promote", {"release": version})

    def challenge(self, versions: Sequence[str]) -> None:
        """Let these releases answer most entities between them, beside the champion.

        Raises:
            Unavailable: see `promote`.
        """
        weight = round(0.9 / max(1, len(versions)), 4)
        self._change("PUT", "", {"challengers": [{"release": v, "weight": weight} for v in versions]})

    def _change(self, method: str, path: str, document: object) -> None:
        answered = self.admin.request(method, f"/v1/routing{path}", json=document)
        if answered.is_error:
            raise Unavailable(f"the routing table was not changed: {answered.text}")

    def requests(self) -> list[str]:
        """Return a whole HTTP/1.1 request for each entity."""
        head = f"POST /v1/predictions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self.token}\r\n"
        head += "content-type: application/json\r\ncontent-length: "
        bodies = [json.dumps({"entity_id": entity}) for entity in self.entities]
        return [f"{head}{len(body)}\r\n\r\n{body}" for body in bodies]

    def resident_mb(self) -> list[float]:
        """Return what each environment of the prediction function holds, MB of 1024 kB."""
        children = self.home.state.children
        return [resident_mb(child.pid) for name, child in sorted(children.items()) if name.startswith("predict/")]

    def log_bytes(self) -> bytes:
        """Return what the environments have written."""
        folder = self.home.state_home / "functions"
        return b"".join(path.read_bytes() for path in sorted(folder.glob("predict-*.log")))


@contextmanager
def swap_case(prepared: Home, folder: Path, *, variants: int, environments: int, freeze: bool) -> Iterator[SwapCase]:
    """Bring a cloud up with the champion of a prepared home and its variants, and down again.

    Args:
        prepared: with customers and a release of the synthetic contract.
        folder: empty; becomes the cloud's home.
        variants: releases in all.
        environments: of the prediction function.
        freeze: whether they are frozen between requests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = prepared.folder / "releases"
    champion = FolderReleases(source).champion(CONTRACT) or ""
    versions = write_variants(source, CONTRACT, champion, variants, folder / "releases")
    table = pq.read_table(prepared.folder / "data/customers.parquet").slice(0, _ENTITIES)
    pq.write_table(table, folder / "customers.parquet")
    home = Home(folder)
    options = ["--environments", str(environments), *(["--freeze"] if freeze else [])]
    home.ok("up", "--data", "customers.parquet", "--port", "0", "--detach", *options)
    try:
        token = home.ok("token", "--client", "load", "--scope", "predict").strip()
        admin = home.ok("token", "--client", "admin", "--scope", "admin").strip()
        headers = {"authorization": f"Bearer {admin}"}
        with httpx.Client(base_url=home.state.url, headers=headers, timeout=_SECONDS) as client:
            yield SwapCase(home, versions, [str(who) for who in table[0].to_pylist()], client, token)
    finally:
        home.ok("down")


@contextmanager
def paced(case: SwapCase, rate: float, connections: int) -> Iterator[Sent]:
    """Let requests come at a pace while the block runs; what came of them is filled in at its end."""
    pace, sent = Pace(case.home.state.ports.gateway, case.requests(), connections, rate), Sent()
    with tempfile.TemporaryDirectory(prefix="ebb-paced-") as folder:
        result = Path(folder) / "sent.json"
        command = [sys.executable, "-m", "tests.load.paced", str(result)]
        # Leaving the inner block closes the generator's standard input, which ends it, and waits.
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as generator:
            if generator.stdin is None or generator.stdout is None or generator.stderr is None:
                raise Unavailable("the load generator has no pipes")
            generator.stdin.write(json.dumps(asdict(pace)) + "\n")
            generator.stdin.flush()
            generator.stdout.readline()
            yield sent
            generator.stdin.close()
            if generator.wait(_SECONDS):
                raise Unavailable(f"the load generator failed: {generator.stderr.read()[-800:]}")
        found = Sent(**json.loads(result.read_text()))
    sent.began, sent.took, sent.releases, sent.complaint = found.began, found.took, found.releases, found.complaint
