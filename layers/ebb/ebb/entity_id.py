"""What an entity may be called: the same in tables, stores and requests."""

LONGEST = 256
"""Characters of an entity id."""

NO_TEXT = "\N{REPLACEMENT CHARACTER}"
"""What a gateway makes of bytes that are no UTF-8: different entities would become one."""


def is_entity_id(text: str) -> bool:
    """Tell whether a text may name an entity: 1 to 256 printable characters, none of them a replacement character."""
    return 0 < len(text) <= LONGEST and text.isprintable() and NO_TEXT not in text
