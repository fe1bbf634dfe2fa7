"""The prediction function's composition: which adapter stands behind which port."""

import os
import time
from collections.abc import Mapping
from datetime import datetime

from ebb.aside import aside, breathe
from ebb.cloud import Cloud
from ebb.connect import QUICK, connect_fast, connect_postgres, connect_store, make_metrics
from ebb.errors import Misuse
from ebb.event_log.log_sink import LogSink
from ebb.event_log.recorder import EventLog
from ebb.event_log.sealing import Sealer
from ebb.event_log.secret import read_stage_secret, require_length
from ebb.events.chain import Chain
from ebb.http.doors import report_to_log
from ebb.metrics import Metrics
from ebb.onnx import OnnxScorer
from ebb.ports import EventRecorder, ReleaseStore, RoutingStore
from ebb.serving.serving import Serving
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from ebb.trim import trim_memory
from lambdas.predict.logic import Predictor
from lambdas.predict.measures import Clocks, Price
from lambdas.predict.service import PredictService
from lambdas.predict.trial import Trial
from lambdas.predict.variant import Variant, VariantLoader


def bootstrap(
    environment: Mapping[str, str],
    *,
    releases: ReleaseStore | None = None,
    routing: RoutingStore | None = None,
    store: FeatureStore | None = None,
    recorder: EventRecorder | None = None,
) -> PredictService:
    """Wire the function; every port may be overridden.

    Raises:
        Misuse: a variable of the environment is missing, or the stage secret cannot be used.
    """
    settings = Settings.from_environment(environment)
    metrics = make_metrics(settings, "predict")
    cloud = Cloud(environment, lambda what: report_to_log(what, ""))
    releases = releases or cloud.releases(settings.releases)
    routing = routing or cloud.routing(settings.routing, QUICK.routing)
    loader = VariantLoader(releases, aside(OnnxScorer), breathe)
    serving = Serving(
        releases,
        routing,
        settings.contract,
        prepare=loader.load,
        rules_only=loader.rules_only,
        signals=metrics,
        report=lambda what: report_to_log(what, ""),
        tidy=trim_memory,
    )
    metrics.gauge("model_age_seconds", lambda: _age(serving.now().champion, time.time()))
    predictor = Predictor(
        serving,
        store or _store(settings, metrics, cloud),
        recorder or _event_log(settings, cloud),
        signals=metrics,
        clocks=Clocks(time.time, time.perf_counter),
        price=Price(settings.memory_megabytes / 1024, settings.gigabyte_second_usd),
        new_id=_new_id,
    )
    trial = Trial(releases, routing, settings.contract, load=loader.load, tidy=trim_memory)
    return PredictService(
        serving,
        predictor,
        report_to_log,
        metrics.tick,
        failed=lambda: metrics.count("failed"),
        direct=trial.routes(),
    )


def _store(settings: Settings, metrics: Metrics, cloud: Cloud) -> FeatureStore:
    fast = connect_fast(settings, metrics, cloud)
    fast.warm()  # an encrypted connection takes longer to open than a prediction may wait
    return connect_store(settings, metrics, fast, connect_postgres(settings, QUICK, cloud))


def _event_log(settings: Settings, cloud: Cloud) -> EventLog:
    return EventLog(LogSink(), Sealer(_stage_secret(settings, cloud)), Chain(os.urandom(8).hex()))


def _stage_secret(settings: Settings, cloud: Cloud) -> bytes:
    """Return the stage secret, which counts for as long as this process lives: each event names the one it is of."""
    if settings.stage_secret:
        return require_length("of EBB_STAGE_SECRET", cloud.secret(settings.stage_secret))
    if settings.stage_secret_file is None:
        raise Misuse("the environment variable EBB_STAGE_SECRET_FILE is not set: events cannot be sealed without it")
    return read_stage_secret(settings.stage_secret_file)


def _age(champion: Variant, now: float) -> float | None:
    """Return how long ago a release was made, seconds; None where only its rules can be had."""
    release = champion.release
    return now - datetime.fromisoformat(release.manifest.created).timestamp() if release else None


def _new_id() -> str:
    return os.urandom(12).hex()
