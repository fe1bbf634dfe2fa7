"""The hooks of a shift: warm as the old version, every release tried, told in time, whatever goes wrong."""

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import EbbError, Misuse, ReleaseError, Unavailable
from ebb.shift.hook import TELL_SECONDS, Hook
from ebb.shift.questions import HEALTH, NAMED, ONE, SERVES
from ebb.shift.settings import ShiftSettings
from ebb.shift.trial import ANSWER_SECONDS, Trial
from lambdas.postflight.logic import MOVED_SECONDS, Postflight
from lambdas.preflight.logic import TRIAL_SECONDS, Preflight, wait_seconds
from lambdas.preflight.warming import LOOK_SECONDS, Warming
from tests.fakes.aws_door import KEYS, REGION
from tests.fakes.shifted import FakeFunction, shifting

LAMBDA_SECONDS = 900.0
EVENT = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "h-1"}


@dataclass
class Time:
    """A clock that moves when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def left(self) -> float:
        return LAMBDA_SECONDS - self.now


def warming(function: FakeFunction, time: Time) -> Warming:
    return Warming(function, "live", "2", time.clock, time.sleep)


@dataclass
class Serving:
    """What a version of the prediction function answers to a hook."""

    releases: Mapping[str, str | None] = field(default_factory=lambda: {"aaa": None, "bbb": None})
    missing: list[str] = field(default_factory=list)
    status: int = 200
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, qualifier: str, event: Mapping[str, Any]) -> Any:
        key = event["routeKey"]
        self.asked.append((qualifier, key))
        document: dict[str, Any] = {"detail": "a server is away"}
        if key == NAMED:
            document |= {"contract": "tiny", "routing": 7, "releases": list(self.releases)}
        elif key == ONE:
            document |= {"refused": self.releases[json.loads(event["body"])["release"]]}
        elif key == SERVES:
            document |= {"missing": self.missing}
        return {"statusCode": self.status, "body": json.dumps(document)}


def test_the_new_version_gets_what_the_old_one_has_now() -> None:
    function, time = FakeFunction(pace=400), Time()
    function.keep("1", 1_900)
    function.keep("2", 1_500)
    told = warming(function, time).hold(600)
    assert function.asked == [("2", 1_900)]
    assert told == "version 2 has 1,900 warm environments, and version 1 serves"
    assert time.now < 60


@pytest.mark.parametrize(("old", "new"), [(1_000, 1_500), (1_500, 1_500)])
def test_a_version_that_has_enough_is_asked_for_nothing(old: int, new: int) -> None:
    function, time = FakeFunction(), Time()
    function.keep("1", old)
    function.keep("2", new)
    assert f"{new:,} warm" in warming(function, time).hold(600)
    assert function.asked == []


def test_no_capacity_anywhere_is_no_reason_to_wait() -> None:
    assert "neither version 1 nor version 2" in warming(FakeFunction(), Time()).hold(600)


def test_a_version_that_serves_already_waits_for_itself() -> None:
    function = FakeFunction(aliases={"live": "2"})
    function.keep("2", 5)
    assert "5 warm environments" in warming(function, Time()).hold(600)


def test_an_old_version_that_failed_counts_what_it_has() -> None:
    function = FakeFunction()
    function.keep("1", 40, "FAILED")
    function.keep("2", 10)
    warming(function, Time()).hold(600)
    assert function.asked == [("2", 40)]


def test_capacity_that_failed_is_told_at_once() -> None:
    function, time = FakeFunction(pace=400, fails_at=700), Time()
    function.keep("1", 1_900)
    function.keep("2", 500)
    with pytest.raises(Unavailable, match=r"cannot get its 1,900 warm environments \(no room is left\): it stopped"):
        warming(function, time).hold(600)
    assert time.now <= 2 * LOOK_SECONDS


@given(seconds=st.floats(0, 800), pace=st.integers(0, 5))
def test_the_wait_never_takes_longer_than_it_may(seconds: float, pace: int) -> None:
    function, time = FakeFunction(pace=pace), Time()
    function.keep("1", 1_000_000)
    function.keep("2", 1)
    with pytest.raises(Unavailable, match=r"of 1,000,000 warm environments after \d+ s"):
        warming(function, time).hold(seconds)
    assert time.now <= seconds


def test_wait_trial_and_report_fit_into_one_invocation() -> None:
    wait = wait_seconds(LAMBDA_SECONDS)
    assert wait + TRIAL_SECONDS + TELL_SECONDS == LAMBDA_SECONDS
    assert wait >= 600
    assert TRIAL_SECONDS >= 3 * ANSWER_SECONDS, "what names releases, one that is slow, and what serves"


def preflight(function: FakeFunction, time: Time) -> Preflight:
    return Preflight(warming(function, time), lambda left: Trial(function, "2", left))


def test_the_preflight_warms_and_tries_every_release() -> None:
    serving = Serving()
    function = FakeFunction(answer=serving)
    function.keep("2", 3)
    told = preflight(function, Time()).run(lambda: LAMBDA_SECONDS)
    assert "3 warm environments" in told
    assert "2 loads all 2 releases of routing table 7 (aaa, bbb), and each answers its golden examples" in told
    assert serving.asked == [("2", NAMED), ("2", ONE), ("2", ONE), ("2", SERVES)]


def test_no_release_yet_passes_and_says_so() -> None:
    serving = Serving(releases={})
    told = Trial(FakeFunction(answer=serving), "2", lambda: 100.0).hold()
    assert told == "2 answers; there is no release yet that it could load"
    assert [key for _, key in serving.asked] == [NAMED, HEALTH]


@pytest.mark.parametrize(
    ("serving", "kind", "sentence"),
    [
        (Serving({"aaa": None, "bbb": "its sha256 is another"}), ReleaseError, "2 refuses release bbb: its sha256"),
        (Serving(missing=["bbb"]), ReleaseError, "an environment of 2 serves without bbb"),
        (Serving(status=503), Unavailable, "with status 503: a server is away"),
        (lambda _q, _e: {"body": "{}"}, Unavailable, "with what no gateway could hand on"),
        (lambda _q, _e: 1 / 0, Unavailable, "ZeroDivisionError"),
    ],
)
def test_a_version_that_fails_its_trial(serving: Any, kind: type[EbbError], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        Trial(FakeFunction(answer=serving), "2", lambda: 100.0).hold()


def test_a_trial_without_time_ends_and_says_how_far_it_came() -> None:
    time = iter([100.0, 100.0, 0.0])
    with pytest.raises(Unavailable, match=r"time ran out .*1 of 2 releases were tried"):
        Trial(FakeFunction(answer=Serving()), "2", lambda: next(time)).hold()


def test_one_answer_gets_no_more_than_what_is_left() -> None:
    seen = []

    class Patient(FakeFunction):
        def invoke(self, qualifier: str, event: Mapping[str, Any], seconds: float) -> Any:
            seen.append(seconds)
            return super().invoke(qualifier, event, seconds)

    Trial(Patient(answer=Serving(releases={"aaa": None})), "2", iter([500.0, 60.0, 7.0]).__next__).hold()
    assert seen == [ANSWER_SECONDS, 60.0, 7.0]


def test_the_postflight_waits_for_the_alias_and_tries_what_it_names() -> None:
    serving, time = Serving(), Time()
    function = FakeFunction(answer=serving)

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        function.aliases["live"] = "2"

    told = Postflight(function, "live", "2", time.clock, sleep).run(time.left)
    assert told.startswith("the alias live names version 2; live loads all 2 releases")
    assert {qualifier for qualifier, _ in serving.asked} == {"live"}


def test_an_alias_that_stays_fails_the_postflight() -> None:
    time = Time()
    with pytest.raises(Unavailable, match="the alias live names version 1 60 s after its shift to version 2"):
        Postflight(FakeFunction(), "live", "2", time.clock, time.sleep).run(time.left)
    assert time.now <= MOVED_SECONDS


@dataclass
class Watched:
    """CodeDeploy and a log, as a hook sees them."""

    fails: Exception | None = None
    told: list[tuple[str, str, bool]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)

    def tell(self, deployment: str, hook: str, *, passed: bool) -> None:
        if self.fails:
            raise self.fails
        self.told.append((deployment, hook, passed))

    def error(self, what: str, correlation_id: str = "") -> None:
        self.errors.append(what + correlation_id)

    def info(self, what: str, correlation_id: str = "") -> None:
        self.infos.append(what + correlation_id)


def run(work: Callable[[], str], event: Mapping[str, Any], watched: Watched) -> dict[str, Any]:
    return Hook("preflight", watched, watched).run(event, work)


def raising(error: Exception) -> Callable[[], str]:
    def work() -> str:
        raise error

    return work


def test_a_hook_that_passes_tells_codedeploy_and_its_log() -> None:
    watched = Watched()
    assert run(lambda: "all is well", EVENT, watched) == {"passed": True, "because": "all is well", "told": True}
    assert (watched.told, watched.infos, watched.errors) == ([("d-1", "h-1", True)], ["preflight: all is well"], [])


@pytest.mark.parametrize(
    ("error", "because"),
    [
        (ReleaseError("release aaa is altered"), "release aaa is altered"),
        (KeyError("canary"), "unexpected KeyError in raising.<locals>.work:"),
    ],
)
def test_whatever_goes_wrong_codedeploy_hears_it(error: Exception, because: str) -> None:
    watched = Watched()
    told = run(raising(error), EVENT, watched)
    assert (told["passed"], told["told"]) == (False, True)
    assert told["because"].startswith(because)
    assert watched.told == [("d-1", "h-1", False)]
    assert len(watched.errors) == 1
    assert "canary" not in watched.errors[0]


@pytest.mark.parametrize("event", [{}, {"DeploymentId": "d-1"}, {"LifecycleEventHookExecutionId": "h-1"}])
def test_who_invokes_a_hook_by_hand_hears_what_it_would_say(event: dict[str, str]) -> None:
    watched = Watched()
    assert run(lambda: "fine", event, watched) == {"passed": True, "because": "fine", "told": False}
    assert not watched.told
    assert not watched.errors


@pytest.mark.parametrize("error", [Unavailable("CodeDeploy does not answer"), Misuse("no"), ValueError("canary")])
def test_a_codedeploy_that_cannot_be_told_is_in_the_log(error: Exception) -> None:
    watched = Watched(fails=error)
    assert run(lambda: "fine", EVENT, watched)["told"] is False
    assert "CodeDeploy was not told how it ended" in watched.errors[0]
    assert "canary" not in watched.errors[0]


GIVEN = {"EBB_SHIFT_FUNCTION": "predict", "EBB_SHIFT_ALIAS": "live", "EBB_SHIFT_TARGET": "2"}


def test_the_settings_of_a_hook() -> None:
    assert ShiftSettings.from_environment(GIVEN) == ShiftSettings("predict", "live", "2")
    for name in GIVEN:
        with pytest.raises(Misuse, match=f"{name} is not set"):
            ShiftSettings.from_environment({**GIVEN, name: ""})
    for wrong in ("$LATEST", "live", "0", "2 "):
        with pytest.raises(Misuse, match="EBB_SHIFT_TARGET must be the number of a version"):
            ShiftSettings.from_environment({**GIVEN, "EBB_SHIFT_TARGET": wrong})


@pytest.mark.parametrize("hook", ["preflight", "postflight"])
@pytest.mark.parametrize("target", ["2", "", "two"])
def test_the_handlers_tell_codedeploy_how_it_ended(hook: str, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = FakeFunction(aliases={"live": "1" if hook == "preflight" else "2"}, answer=Serving())
    function.keep("1", 4)
    with shifting(function) as door:
        for name, value in {**GIVEN, **KEYS, "AWS_ENDPOINT_URL": door.url, "AWS_REGION": REGION}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("EBB_SHIFT_TARGET", target)
        handler = importlib.import_module(f"lambdas.{hook}.handler")
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
        told = handler.handle(EVENT, context)
        outcome = "Succeeded" if target == "2" else "Failed"
        assert door.told == [("d-1", "h-1", outcome)], told
        assert ("golden examples" in told["because"]) is (target == "2")
    assert function.asked == ([("2", 4)] if (hook, target) == ("preflight", "2") else [])
