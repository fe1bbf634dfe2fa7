"""What a comparison of the tiers found."""

from dataclasses import dataclass, field

OLDER, NEWER, DIFFERENT, ONLY_FAST = "older", "newer", "different", "only in the fast tier"


@dataclass(frozen=True)
class Example:
    """One entity that the tiers disagree about.

    Attributes:
        subject: a pseudonym: a keyed hash, whose key is the subject's salt.
        what: how they disagree.
        fast, durable: the versions held; None where nothing is.
    """

    subject: str
    what: str
    fast: int | None
    durable: int | None


@dataclass
class Agreement:
    """What a comparison found; grows while it goes on.

    Attributes:
        checked: entities that the fast tier held.
        tombstones: those among them that were erased.
        disagree: how many disagree, by how.
        examples: some of them.
        behind: entities whose record in the fast tier is older, to be told anew; in no document.
    """

    checked: int = 0
    tombstones: int = 0
    disagree: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    behind: list[str] = field(default_factory=list, repr=False)

    @property
    def agrees(self) -> bool:
        """Whether nothing was found."""
        return not self.disagree

    def document(self) -> dict[str, object]:
        """Return it as a JSON object; no entity stands in it."""
        return {
            "agrees": self.agrees,
            "checked": self.checked,
            "tombstones": self.tombstones,
            "disagree": dict(self.disagree),
            "examples": [vars(example) for example in self.examples],
        }
