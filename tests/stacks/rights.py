"""What everybody may do, as sorted lines that a person can read and review."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from policy_sentry.analysis.expand import expand
from policy_sentry.querying.all import get_all_actions

from tests.stacks.conditions import matches
from tests.stacks.statements import THE_ACCOUNT, Statement

COMMON = "common"
_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


class UnknownAction(ValueError):
    """A policy names an action that AWS does not have."""


@cache
def known_actions() -> frozenset[str]:
    """Return all actions of AWS, in lower case."""
    return frozenset(action.lower() for action in get_all_actions())


@cache
def expanded(action: str) -> tuple[str, ...]:
    """Return the actions that a pattern stands for.

    Raises:
        UnknownAction: there is none.
    """
    found = tuple(one for one in expand(action) if one.lower() in known_actions())
    if not found:
        raise UnknownAction(f"AWS knows no action {action}")
    return found


def lines(statements: Iterable[Statement], stage: str) -> set[str]:
    """Return a line for each action, resource and condition, without the stage's name and the hashes of code.

    Actions of what roles are allowed are expanded. Those of denials, of endpoints and of what is handed on to the
    account's policies stay patterns: there the pattern is what was meant.
    """
    everything = list(statements)
    denials = [one for one in everything if not one.allows and not one.conditions]
    found = {line for one in everything for line in _lines(one, denials)}
    return {_ASSET.sub("<hash>", line.replace(f"ebb-{stage}", "ebb-<stage>")) for line in found}


def _lines(statement: Statement, denials: Iterable[Statement]) -> Iterator[str]:
    meant = statement.kind == "endpoint" or not statement.allows or statement.principals == (THE_ACCOUNT,)
    verb = "" if statement.allows else "NEVER "
    through = f"through {statement.where}, " if statement.kind == "endpoint" else ""
    condition = " if " + " and ".join(map(str, statement.conditions)) if statement.conditions else ""
    for pattern in statement.actions:
        for action in (pattern,) if expanded(pattern) and meant else expanded(pattern):
            for resource in statement.resources:
                for who in statement.principals:
                    if not (statement.allows and any(_covers(one, who, action, resource) for one in denials)):
                        yield f"{through}{who}: {verb}{action} on {resource}{condition}"


def _covers(denial: Statement, who: str, action: str, resource: str) -> bool:
    """Say whether a denial without conditions leaves nothing of what is allowed."""
    named = {who, "everybody"} & set(denial.principals)
    return bool(
        named
        and any(matches(one.lower(), action.lower()) for one in denial.actions)
        and any(matches(one, resource) for one in denial.resources)
    )


def by_file(of_stages: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Return the lines of each golden file: those of all stages, and of each stage what only some have."""
    common = set.intersection(*of_stages.values())
    files = {COMMON: sorted(common)}
    files |= {stage: sorted(found - common) for stage, found in of_stages.items() if found - common}
    return files
