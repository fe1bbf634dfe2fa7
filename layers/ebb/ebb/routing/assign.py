"""Which release answers an entity: one hash and one look-up, on the way of every prediction."""

from hashlib import blake2b

from ebb.routing.slots import expanded
from ebb.routing.table import CHALLENGER, CHAMPION, CHEAP, SLOTS, RoutingTable


class Assignment:
    """A routing table, compiled.

    Args:
        table: a valid one; see `ebb.routing.document`.
    """

    __slots__ = ("_owners", "_person", "_roles", "table")

    def __init__(self, table: RoutingTable) -> None:
        self.table = table
        self._person = blake2b(table.salt.encode(), digest_size=blake2b.PERSON_SIZE).digest()
        self._roles = [(CHAMPION, table.champion), *((CHALLENGER, c.release) for c in table.challengers)]
        if table.cheap is not None:
            self._roles.append((CHEAP, table.cheap.release))
        owners = bytearray(SLOTS)
        for index, (_, release) in enumerate(self._roles):
            for slot in expanded(table.slots.get(release, ())):
                owners[slot] = index
        self._owners = bytes(owners)

    def slot(self, entity_id: str) -> int:
        """Return the entity's slot: the first eight bytes of a keyed BLAKE2b, modulo `SLOTS`; the same for ever."""
        digest = blake2b(entity_id.encode(), digest_size=8, person=self._person).digest()
        return int.from_bytes(digest, "little") % SLOTS

    def of(self, entity_id: str) -> tuple[str, str]:
        """Return role and release that answer the entity."""
        digest = blake2b(entity_id.encode(), digest_size=8, person=self._person).digest()
        return self._roles[self._owners[int.from_bytes(digest, "little") % SLOTS]]
