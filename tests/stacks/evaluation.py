"""Who may do what, as IAM decides it within one account: a denial wins, then something must allow.

Source: "Policy evaluation logic" of IAM's user guide. A role's own policy is enough for most resources; a KMS key and
a role to be taken must say so as well, by naming the role or by handing on to the account's policies.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.stacks.conditions import Context, holds, matches
from tests.stacks.statements import EVERYBODY, THE_ACCOUNT, Statement

_GUARDED = ("kms:", "sts:assumerole")
"""Actions that the resource's own policy must allow too."""


@dataclass(frozen=True)
class Permissions:
    """All statements of a stage."""

    statements: Sequence[Statement]

    def allowed(self, who: str, action: str, resource: str, context: Context | None = None) -> bool:
        """Say whether somebody may do something.

        Args:
            who: a role's symbol, or "service NAME".
            action: as "s3:GetObject".
            resource: its ARN, with symbols for what CloudFormation names.
            context: what is known of the request; None for any circumstances at all: conditions of what allows are
                taken as met, those of what denies as not met.
        """
        about = [one for one in self.statements if one.kind != "endpoint" and concerns(one, action, resource)]
        if any(_denies(one, who, context) for one in about):
            return False
        allowing = [one for one in about if one.allows and _met(one, context, unknown=True)]
        named = any(one.kind != "identity" and {who, EVERYBODY} & set(one.principals) for one in allowing)
        own = any(one.kind == "identity" and who in one.principals for one in allowing)
        handed_on = any(one.kind != "identity" and THE_ACCOUNT in one.principals for one in allowing)
        guarded = action.lower().startswith(_GUARDED)
        return named or (own and (handed_on or not guarded))

    def what(self, who: str, actions: Iterable[str], resources: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield each pair of action and resource that somebody may do in any circumstances."""
        for action in actions:
            about = Permissions([one for one in self.statements if _speaks_of(one, action)])
            if any(one.allows and {who, EVERYBODY} & set(one.principals) for one in about.statements):
                yield from ((action, resource) for resource in resources if about.allowed(who, action, resource))


def concerns(statement: Statement, action: str, resource: str) -> bool:
    """Say whether a statement speaks of an action on a resource; actions are the same in any case."""
    return _speaks_of(statement, action) and any(matches(one, resource) for one in statement.resources)


def _speaks_of(statement: Statement, action: str) -> bool:
    return any(matches(one.lower(), action.lower()) for one in statement.actions)


def _denies(statement: Statement, who: str, context: Context | None) -> bool:
    if statement.allows:
        return False
    everybody = {EVERYBODY, who} if who.startswith("service ") else {EVERYBODY, THE_ACCOUNT, who}
    return bool(everybody & set(statement.principals)) and _met(statement, context, unknown=False)


def _met(statement: Statement, context: Context | None, *, unknown: bool) -> bool:
    if context is None:
        return unknown or not statement.conditions
    return all(holds(condition, context) for condition in statement.conditions)
