"""The prediction function around in-memory tiers, real releases in a folder, and a recorder that remembers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ebb.contract.model import Value
from ebb.errors import Unavailable
from ebb.events.event import PredictionEvent
from ebb.folder import FolderReleases
from ebb.folder_routing import FolderRouting
from ebb.http.doors import answer
from ebb.http.problems import Answer
from ebb.onnx import OnnxScorer
from ebb.plans import Plan
from ebb.ports import FeatureUpdate
from ebb.release import manifest as m
from ebb.routing.table import RoutingTable
from ebb.serving.serving import Serving
from lambdas.predict.logic import Predictor
from lambdas.predict.measures import Clocks, Price
from lambdas.predict.service import PredictService
from lambdas.predict.variant import Variant, VariantLoader
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.releases import tiny_release
from tests.fakes.stores import MemoryStore

UNLIMITED = Plan(1e6, 1e6)


@dataclass
class MemoryRecorder:
    """An `EventRecorder` that keeps what it is given."""

    events: list[PredictionEvent] = field(default_factory=list)
    away: bool = False

    def record(self, events: Sequence[PredictionEvent]) -> None:
        if self.away:
            raise Unavailable("the log takes nothing")
        self.events += events


class World:
    """Everything that the prediction function needs.

    Args:
        folder: for releases and routing tables.
        release: whether a first one is published.
        plan: what each client may ask.
    """

    def __init__(self, folder: Path, *, release: bool = True, plan: Plan = UNLIMITED, contract: str = "tiny") -> None:
        self.tiers = MemoryStore(plan=plan)
        self.fast, self.durable, self.clock = self.tiers.fast, self.tiers.durable, self.tiers.clock
        self.signals = self.tiers.signals
        self.reports: list[str] = []
        self._contract = contract
        self.recorder = MemoryRecorder()
        self.folder = folder
        self.releases, self.routing = FolderReleases(folder / "releases"), FolderRouting(folder / "routing")
        if release:
            self.publish()
        self.monotonic = 0.0
        self.serving, self.predictor = self.another()
        self.service = PredictService(self.serving, self.predictor, lambda what, _id: self.reports.append(what))

    def another(self) -> tuple[Serving[Variant], Predictor]:
        """Return what one more environment has of its own."""
        loader = VariantLoader(self.releases, OnnxScorer)
        serving = Serving(
            self.releases,
            self.routing,
            self._contract,
            prepare=loader.load,
            rules_only=loader.rules_only,
            signals=self.signals,
            report=self.reports.append,
            clock=lambda: self.monotonic,
        )
        predictor = Predictor(
            serving,
            self.tiers.store,
            self.recorder,
            signals=self.signals,
            clocks=Clocks(self.clock, lambda: self.monotonic),
            price=Price(1.0, 0.0000133334),
            new_id=lambda: "id-1",
        )
        return serving, predictor

    def restarted(self, *, reads_per_second: float) -> None:
        """Begin anew, as an environment with such a budget of reads past the fast tier."""
        self.tiers.reads_per_second = reads_per_second
        self.tiers.store = self.tiers.another()
        self.serving, self.predictor = self.another()
        self.service = PredictService(self.serving, self.predictor, lambda what, _id: self.reports.append(what))

    def file(self, name: str) -> Path:
        """Return the champion's file of that name."""
        return self.folder / "releases" / "tiny" / (self.releases.champion("tiny") or "") / name

    def until(self, done: Callable[[], bool], seconds: float = 10.0) -> None:
        """Let the serving clock run until something is so; fails when it never is."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, self.reports[-3:]
            self.monotonic += 1.0
            time.sleep(0.002)

    def publish(self, bias: float = 0.0, *, champion: bool = True) -> str:
        """Write a release, and return its version."""
        files = tiny_release(bias)
        version = m.version_of(files)
        self.releases.write("tiny", version, files)
        if champion:
            self.releases.set_champion("tiny", version)
        return version

    def route(self, table: RoutingTable, *, announce: bool = True) -> None:
        """Put a table in force."""
        self.routing.append("tiny", table)
        if announce:
            self.fast.announce_routing(table.version)

    def hold(self, values: Mapping[str, Value] = ROW, age: float = 60.0, entity_id: str = "e-1") -> None:
        """Write features behind the fast tier's back."""
        self.durable.merge([FeatureUpdate(entity_id, values, self.clock() - age)])

    def call(self, body: object, scope: str = "predict explain", *, batch: bool = False) -> Answer:
        """Ask through the direct door."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        route = self.service.predict_batch if batch else self.service.predict
        name = "POST /v1/predictions" + ("/batch" if batch else "")
        return answer(event(name, content, scope=scope), route, self.service.report)

    def ok(self, body: object, *, batch: bool = False) -> dict[str, Any]:
        """Ask, and return the document."""
        result = self.call(body, batch=batch)
        assert result.status == 200, result.body
        document: dict[str, Any] = orjson.loads(result.body)
        return document
