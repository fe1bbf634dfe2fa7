"""Archives that were packed, brought to `dist/` together with the manifest that vouches for them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from cdk.archives import BILL, MANIFEST, Entry, dist, functions, made_of
from ebb.synced import replaced, sync, write_synced
from local.package.bill import bill_of


def publish(root: Path, architecture: str, new: Mapping[str, Path], entries: Mapping[str, Entry]) -> None:
    """Put new archives, the bill of materials and the manifest into `dist/`.

    The old manifest goes first and the new one comes last: whoever is killed in between leaves archives for which
    nothing vouches, which count as not packed.

    Args:
        root: the checkout.
        architecture: see `cdk.archives.ARCHITECTURES`.
        new: zips by archive, on the same disk as `dist/`; the others lie there already.
        entries: the whole manifest, by archive.

    Raises:
        OSError: the disk refuses.
    """
    folder = dist(root, architecture)
    places = {name: made_of(root, name, architecture).packed for name in entries}
    bill = bill_of(root, architecture, entries, {**places, **new})
    (folder / MANIFEST).unlink(missing_ok=True)
    for name, path in new.items():
        places[name].parent.mkdir(parents=True, exist_ok=True)
        sync(path)
        path.replace(places[name])
        sync(places[name].parent)
    for path in (folder / "functions").glob("*.zip"):
        if path.stem not in functions(root):  # a function that is no more
            path.unlink()
    _write(folder / BILL, bill)
    _write(folder / MANIFEST, json.dumps({name: asdict(entry) for name, entry in entries.items()}, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    with replaced(path) as partial:
        write_synced(partial, text.encode())
