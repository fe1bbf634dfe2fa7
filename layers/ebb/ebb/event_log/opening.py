"""Opening prediction events: out of their seal, with the stage secret and the subject's salt."""

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ebb.errors import DataError
from ebb.event_log.content import LayoutOf, read_content
from ebb.event_log.reading import RecordedEvent
from ebb.event_log.sealing import BY_NONE, secret_name, subject_key
from ebb.events.event import PredictionEvent

_OPEN = ("id", "request", "time", "client", "purpose", "release", "rules", "variant", "routing", "escalated", "tier")


def no_layout(_release: str) -> None:
    """Know no release's contract."""


def unseal(event: RecordedEvent, secret: bytes, salt: str, layout_of: LayoutOf = no_layout) -> PredictionEvent:
    """Return the whole event; that it opens proves that no byte of it was altered, nor any that is open in its line.

    Args:
        event: as it was read.
        secret: the stage secret of its time.
        salt: the subject's; empty once it is erased.
        layout_of: the places of a release's features, by its sha256.

    Raises:
        DataError: it cannot be opened, or not be read; says why.
    """
    name = f"prediction event {event.name}"
    if event.by == BY_NONE:
        raise DataError(f"{name} is of an entity that had no salt: nobody can open it.")
    if not salt:
        raise DataError(f"{name} cannot be opened any more: its subject was erased.")
    if event.secret != secret_name(secret):
        raise DataError(f"{name} was sealed under another stage secret: give the one of its time.")
    try:
        key = subject_key(secret, bytes.fromhex(salt))
        text = AESGCM(key).decrypt(event.nonce, event.sealed, event.bound)
    except (InvalidTag, ValueError):
        raise DataError(
            f"{name} does not open with this salt: its subject was erased since and has a new one, it is another "
            "subject's, or the event was altered, which its chain tells."
        ) from None
    try:
        return _whole(event.open, read_content(text, event.open["release"], layout_of), salt)
    except DataError as error:
        raise DataError(f"{name} {error}") from None


def _whole(shown: Mapping[str, Any], personal: Mapping[str, Any], salt: str) -> PredictionEvent:
    """Put an event together from what is open and what was sealed."""
    return PredictionEvent(
        **{name: shown[name] for name in _OPEN},
        **personal,
        hedged=shown["hedged"],
        milliseconds=shown["ms"],
        cost=shown["cost"],
        salt=salt,
    )
