"""The job image's Dockerfile, read strictly: the linters that could do it are GPL, AGPL, or know no BuildKit."""

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "training" / "jobs" / "Dockerfile"
KNOWN = {"FROM", "COPY", "RUN", "ENV", "WORKDIR", "USER", "ENTRYPOINT"}
IMAGE = re.compile(r"(?P<name>[a-z0-9./-]+):(?P<tag>[\w.-]+)(?: AS (?P<stage>[a-z]+))?")
FLOATING = {"latest", "edge", "main", "master", "stable"}


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines joined."""

    name: str
    rest: str
    stage: int

    @property
    def flags(self) -> dict[str, str]:
        """The `--name=value` flags before its arguments."""
        return dict(word[2:].split("=", 1) for word in self.rest.split() if re.match(r"--\w+=", word))

    @property
    def words(self) -> list[str]:
        """Its arguments, in either form."""
        without = re.sub(r"^(--\w+=\S+\s+)+", "", self.rest)
        return list(json.loads(without)) if without.startswith("[") else without.split()

    @property
    def is_exec_form(self) -> bool:
        """Whether it runs without a shell."""
        return self.rest.startswith("[")


def parse(text: str) -> list[Instruction]:
    """Read a Dockerfile; what is no instruction is an error."""
    joined = re.sub(r"\\\n\s*", "", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    found: list[Instruction] = []
    stage = -1
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        assert name in KNOWN, f"{name} is not used here"
        stage += name == "FROM"
        assert stage >= 0, "the first instruction is a FROM"
        found.append(Instruction(name, rest.strip(), stage))
    return found


@pytest.fixture(scope="module")
def instructions() -> list[Instruction]:
    return parse(DOCKERFILE.read_text())


def of(instructions: list[Instruction], name: str) -> list[Instruction]:
    """Return all instructions of a name."""
    return [instruction for instruction in instructions if instruction.name == name]


def last_stage(instructions: list[Instruction]) -> list[Instruction]:
    """Return what makes the image itself."""
    return [instruction for instruction in instructions if instruction.stage == instructions[-1].stage]


def test_every_image_is_named_with_a_tag_that_stays(instructions: list[Instruction]) -> None:
    for image in of(instructions, "FROM"):
        named = IMAGE.fullmatch(image.rest)
        assert named is not None, image.rest
        assert named["tag"] not in FLOATING
        assert named["stage"], "every stage has a name"


def test_the_image_is_the_last_of_several_stages_and_distroless(instructions: list[Instruction]) -> None:
    images = of(instructions, "FROM")
    assert len(images) > 1
    assert images[-1].rest.startswith("gcr.io/distroless/python3-debian13:nonroot ")


def test_built_and_run_by_the_same_python(instructions: list[Instruction]) -> None:
    """Wheels are of one Python: Debian 13 has 3.13."""
    (build,) = [image for image in of(instructions, "FROM") if " AS build" in image.rest]
    assert build.rest.startswith("python:3.13-slim-trixie ")


def test_it_runs_as_nobody_in_particular(instructions: list[Instruction]) -> None:
    (user,) = of(last_stage(instructions), "USER")
    uid, _, gid = user.rest.partition(":")
    assert int(uid) >= 1000
    assert int(gid) >= 1000


def test_it_enters_the_jobs_without_a_shell(instructions: list[Instruction]) -> None:
    (entry,) = of(instructions, "ENTRYPOINT")
    assert entry.is_exec_form
    assert entry.words == ["/usr/bin/python3", "-m", "training.jobs"]
    assert entry == instructions[-1]


def test_no_shell_is_run_and_nothing_is_installed_beside_the_lock(instructions: list[Instruction]) -> None:
    for run in of(instructions, "RUN"):
        assert run.is_exec_form
        assert run.words[:2] == ["uv", "pip"]
        assert not {"apt", "apt-get", "curl", "wget"} & set(run.words)
    install = of(instructions, "RUN")[0].words
    assert {"--require-hashes", "--no-cache", "--only-binary"} <= set(install)


def test_every_pin_of_the_lock_has_a_hash(instructions: list[Instruction]) -> None:
    install = of(instructions, "RUN")[0].words
    lock = (ROOT / install[install.index("-r") + 1]).read_text().replace("\\\n", "")
    pins = [line for line in lock.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(pins) > 50
    for pin in pins:
        assert re.match(r"[\w.\[\],-]+==\S+", pin), pin
        assert "--hash=sha256:" in pin, pin


def test_the_lock_is_the_demo_s_with_what_signs_for_the_managed_tracking_server() -> None:
    """Another version of anything would score other bits than the local cloud."""
    pins = {
        name: set(re.findall(r"^([\w.-]+==[^\s;]+)", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE))
        for name in ("demo", "jobs")
    }
    assert pins["demo"] <= pins["jobs"]
    names = {pin.split("==")[0] for pin in pins["jobs"] - pins["demo"]}
    assert "sagemaker-mlflow" in names
    assert names <= {"boto3", "botocore", "jmespath", "s3transfer", "sagemaker-mlflow"}


def test_what_is_taken_out_again_is_in_the_lock_and_not_asked_for_by_training(instructions: list[Instruction]) -> None:
    gone = {word for word in of(instructions, "RUN")[1].words[3:] if not word.startswith(("-", "/"))}
    lock = (ROOT / "requirements" / "jobs.txt").read_text()
    assert gone
    for name in gone:
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE), name
    modules = "|".join(name.replace("-", "_") for name in gone)
    importing = re.compile(rf"^\s*(import|from) ({modules})\b", re.MULTILINE)
    for path in (ROOT / "training").rglob("*.py"):
        assert not importing.search(path.read_text()), path


def test_every_copy_has_an_owner_and_a_source_that_is_there_and_not_ignored(instructions: list[Instruction]) -> None:
    stages = {match["stage"] for image in of(instructions, "FROM") if (match := IMAGE.fullmatch(image.rest))}
    rules = [line for line in Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines() if line[:1] not in {"", "#"}]
    assert rules[0] == "*"
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    for copy in of(instructions, "COPY"):
        assert re.fullmatch(r"\d+:\d+", copy.flags["chown"])
        *sources, _target = copy.words
        assert sources
        if "from" in copy.flags:
            assert copy.flags["from"] in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, rule) for rule in allowed), source


def test_it_holds_all_that_the_entry_imports(instructions: list[Instruction]) -> None:
    copied = {tuple(copy.words) for copy in of(last_stage(instructions), "COPY") if "from" not in copy.flags}
    assert copied == {("layers/ebb/ebb", "/opt/program/ebb"), ("training", "/opt/program/training")}
    (env,) = of(last_stage(instructions), "ENV")
    assert "PYTHONPATH=/opt/program:/opt/site" in env.words


def test_it_holds_no_secret(instructions: list[Instruction]) -> None:
    for word in (word for env in of(instructions, "ENV") for word in env.words):
        assert not re.search(r"secret|password|token|key|credential", word, re.IGNORECASE)


@pytest.mark.parametrize(
    "text", ["ADD https://example.org/x /x", "RUN echo", "FROM a:1 AS a\nCMD x", "FROM a:1 AS a\nHEALTHCHECK NONE"]
)
def test_the_reader_itself_is_strict(text: str) -> None:
    with pytest.raises(AssertionError):
        parse(text)
