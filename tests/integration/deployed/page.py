"""The list in docs/ministack.md: what of a stage's templates MiniStack takes, and what is left out and why.

`python -m tests.integration.deployed.page` writes it anew; the commit shows what was accepted.
"""

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.home import ROOT
from tests.integration.deployed.deployment import emulator, reduced_for
from tests.integration.deployed.reduction import Left, Reduced, Template
from tests.integration.deployed.templates import synthesize_here
from tests.stacks.references import readable

PAGE = ROOT / "docs/ministack.md"
COMMAND = "python -m tests.integration.deployed.page"
_BEGIN, _END = "<!-- begin: written by the command below -->", "<!-- end -->"


def listing(templates: Mapping[str, Template], reduced: Reduced) -> str:
    """Return the list as Markdown: types that are deployed, and every resource that is not.

    Args:
        templates: as they were synthesized.
        reduced: as they are deployed.
    """
    taken = [f"| {stack} | {_types(template)} |" for stack, template in reduced.templates.items()]
    by_type = defaultdict[str, list[Left]](list)
    for one in reduced.left:
        by_type[one.type].append(one)
    names = {stack: readable(template["Resources"]) for stack, template in templates.items()}
    left = [f"| {_short(kind)} | {_why(ones)} | {_which(ones, names)} |" for kind, ones in sorted(by_type.items())]
    head = ["| stack | types deployed |", "|---|---|"]
    return "\n".join([*head, *taken, "", "| left out | because | which |", "|---|---|---|", *left]) + "\n"


def written() -> str:
    """Return the list as it stands in the page."""
    return _around()[1]


def now(folder: Path) -> str:
    """Return the list as it should be, by the word of a MiniStack that is started for it.

    Args:
        folder: for the templates and its files.
    """
    assembly = synthesize_here(folder / "cdk.out")
    with emulator(folder / "ministack") as somewhere:
        return listing(assembly.templates, reduced_for(somewhere, assembly))


def _types(template: Template) -> str:
    return ", ".join(_short(kind) for kind in sorted({one["Type"] for one in template["Resources"].values()}))


def _short(kind: str) -> str:
    return f"`{kind.removeprefix('AWS::')}`"


def _why(ones: Iterable[Left]) -> str:
    return "; ".join(sorted({_reason(one) for one in ones}))


def _reason(one: Left) -> str:
    if one.needs:
        return "needs what is left out"
    return f"its `{one.refused}` is refused" if one.refused else "not known"


def _which(ones: Iterable[Left], names: Mapping[str, Mapping[str, str]]) -> str:
    return ", ".join(sorted(f"{one.stack}/{names[one.stack][one.logical_id]}" for one in ones))


def _around() -> tuple[str, str, str]:
    before, begin, rest = PAGE.read_text().partition(_BEGIN)
    said, end, after = rest.partition(_END)
    assert begin, f"{PAGE} has lost the mark {_BEGIN}"
    assert end, f"{PAGE} has lost the mark {_END}"
    return before + begin + "\n\n", said.strip("\n") + "\n", f"\n{end}{after}"


def main() -> int:
    """Write the list."""
    with tempfile.TemporaryDirectory() as folder:
        said = now(Path(folder))
    before, _, after = _around()
    PAGE.write_text(before + said + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
