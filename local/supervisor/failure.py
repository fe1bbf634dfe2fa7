"""The sentence that a supervisor failed with, kept for whoever started it in the background."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_FILE = "failure"


def forget_failure(folder: Path) -> None:
    """Forget what the last supervisor of a state folder failed with."""
    (folder / _FILE).unlink(missing_ok=True)


@contextmanager
def failure_kept(folder: Path) -> Iterator[None]:
    """Keep the sentence of an exception that passes in a state folder; forget an earlier one."""
    path = folder / _FILE
    forget_failure(folder)
    try:
        yield
    except Exception as error:
        with suppress(OSError):  # the exception itself matters more
            path.write_text(str(error) or type(error).__name__)
        raise


def kept_failure(folder: Path) -> str | None:
    """Return the sentence that the last supervisor of a state folder failed with; None when it did not."""
    try:
        return (folder / _FILE).read_text().strip() or None
    except OSError:
        return None
