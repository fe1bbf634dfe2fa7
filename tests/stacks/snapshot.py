"""Templates as compact YAML without what changes by itself, and the command that accepts all golden files."""

import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml  # type: ignore[import-untyped]  # it brings no types

from tests.stacks.conftest import PLACES, Synthesized, Template, synthesize
from tests.stacks.golden_files import accept
from tests.stacks.references import References
from tests.stacks.rights import by_file, lines
from tests.stacks.statements import Statement, statements_of

TEMPLATES, PERMISSIONS = ".template.yaml", ".permissions.txt"

_VERSION = re.compile(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")
_ASSET = re.compile(r"\b[0-9a-f]{64}\b")
_BOOTSTRAP = ("Parameters", "Rules")
"""What CDK puts into each template to ask whether the account is prepared."""


class _Intrinsic(str):
    """A reference in CloudFormation's short form."""

    __slots__ = ("tag",)

    def __new__(cls, tag: str, text: str) -> Self:
        made = super().__new__(cls, text)
        made.tag = tag
        return made

    tag: str


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # as above
    """Writes references in the short form, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base's signature
        return True


_Dumper.add_representer(_Intrinsic, lambda dumper, data: dumper.represent_scalar(data.tag, str(data)))


def snapshots(synthesized: Synthesized) -> dict[str, str]:
    """Return the text of each template, by the golden file's name."""
    return {
        f"{place}-{stack}{TEMPLATES}": to_text(template, *_tags(place, stack))
        for place, stacks in synthesized.templates.items()
        for stack, template in stacks.items()
    }


def _tags(place: str, stack: str) -> tuple[str, str]:
    """Return a stack's stage, and its part as its tag says: in a second region with the region's name before it."""
    stage = PLACES[place].name
    return stage, f"{place}-{stack}".removeprefix(f"{stage}-")


def permissions(synthesized: Synthesized) -> dict[str, str]:
    """Return what everybody may do, by the golden file's name: what is so in all stages, and what only in some.

    A second region stands by itself: nothing in it is as elsewhere but by chance.
    """
    found = {place: lines(stage_statements(synthesized, place), PLACES[place].name) for place in PLACES}
    first = {place: said for place, said in found.items() if not PLACES[place].beside}
    second = {place: sorted(said) for place, said in found.items() if PLACES[place].beside}
    return {f"{name}{PERMISSIONS}": "\n".join(one) + "\n" for name, one in (by_file(first) | second).items()}


def stage_statements(synthesized: Synthesized, stage: str) -> list[Statement]:
    """Return all policy statements of a stage in one region."""
    return statements_of(References(synthesized.templates[stage], PLACES[stage].region))


def to_text(template: Template, stage: str, stack: str) -> str:
    """Return a template as YAML: sorted, references short, hashes of code left out, our tags as one word."""
    kept = {part: value for part, value in template.items() if part not in _BOOTSTRAP or not _only_bootstrap(value)}
    tags = [{"Key": "ebb:part", "Value": stack}, {"Key": "ebb:stage", "Value": stage}]
    text = yaml.dump(_shortened(kept, tags), Dumper=_Dumper, width=150, default_flow_style=None, sort_keys=True)
    return _ASSET.sub("<hash>", _VERSION.sub(r"\1<hash>", text))


def _only_bootstrap(part: Mapping[str, Any]) -> bool:
    return set(part) <= {"BootstrapVersion", "CheckBootstrapVersion"}


def _shortened(value: Any, tags: list[dict[str, str]]) -> Any:
    if isinstance(value, list):
        return [_shortened(one, tags) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (short := _short(*next(iter(value.items())))) is not None:
        return short
    return {key: "<stage and part>" if _ours(key, one, tags) else _shortened(one, tags) for key, one in value.items()}


def _ours(key: str, value: Any, tags: list[dict[str, str]]) -> bool:
    return key == "Tags" and value in (tags, {tag["Key"]: tag["Value"] for tag in tags})


def _short(name: str, given: Any) -> _Intrinsic | None:
    if name in {"Ref", "Fn::ImportValue"} and isinstance(given, str):
        return _Intrinsic(f"!{name.removeprefix('Fn::')}", given)
    if name == "Fn::GetAtt" and isinstance(given, list):
        return _Intrinsic("!GetAtt", ".".join(given))
    if name == "Fn::Join" and given[0] == "" and all(_plain(part) for part in given[1]):
        return _Intrinsic("!Sub", "".join(_written(part) for part in given[1]))
    return None


def _plain(part: Any) -> bool:
    return isinstance(part, str) or (isinstance(part, dict) and set(part) <= {"Ref", "Fn::GetAtt", "Fn::ImportValue"})


def _written(part: Any) -> str:
    """Return one part of a text in the form of `Fn::Sub`; an import stands there as it never could."""
    if isinstance(part, str):
        return part
    name, given = next(iter(part.items()))
    text = ".".join(given) if isinstance(given, list) else given
    return f"${{import {text}}}" if name == "Fn::ImportValue" else f"${{{text}}}"


def main() -> int:
    """Accept what the stacks say now."""
    with tempfile.TemporaryDirectory() as folder:
        synthesized = synthesize(Path(folder))
    for suffix, files in ((TEMPLATES, snapshots(synthesized)), (PERMISSIONS, permissions(synthesized))):
        accept(suffix, files)
        size = sum(map(len, files.values()))
        sys.stdout.write(f"{len(files)} files *{suffix}, {size / 1024:.0f} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
