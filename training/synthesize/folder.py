"""The folder of a world of events: whose it is, which shards are whole, and the manifest that ends the work.

Until the manifest is there, `.synthesis.json` says what is being made, and a note in `.shards/` says of each shard
that it is whole; files without a note are no shard's.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from hashlib import file_digest
from pathlib import Path
from typing import Any

from ebb.errors import Conflict, DataError, Misuse
from ebb.synced import sync, write_synced
from training.synthesize.event_schema import TABLES
from training.synthesize.options import Options

MANIFEST, UNDER_WAY, NOTES, PARTIAL = "manifest.json", ".synthesis.json", ".shards", ".partial-"
_FORMAT = "ebb synthetic events 1"

Note = dict[str, dict[str, Any]]
"""By file, such as `events/part-00000.parquet`: its rows, bytes and sha256."""


def part(table: str, shard: int) -> str:
    """Return the path of one shard's file inside the folder."""
    return f"{table}/part-{shard:05d}.parquet"


@contextmanager
def claimed(out: Path, options: Options) -> Iterator[None]:
    """Hold the folder for one synthesis; leave nothing half-written in it, however the work ends.

    Raises:
        Misuse: the folder holds something else, or another synthesis.
        Conflict: another process is at work on it.
        OSError: it cannot be made or written.
    """
    fresh = not out.exists()
    if not fresh:
        _refuse_foreign(out, options)
    out.mkdir(parents=True, exist_ok=True)
    held = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"{out} is being written by another `ebb synthesize`: wait for it, or end it") from None
        write_synced(out / UNDER_WAY, _json({"format": _FORMAT, "options": asdict(options)}))
        for name in (*TABLES, NOTES):
            (out / name).mkdir(exist_ok=True)
        yield
    finally:
        _sweep(out)
        os.close(held)


def whole_shards(out: Path, shards: int) -> dict[int, Note]:
    """Return the notes of the shards whose files are there as they were noted; forget the others."""
    told = _told(out)
    whole = {}
    for shard in range(shards):
        note = {name: told[name] for name in (part(table, shard) for table in TABLES) if name in told}
        if len(note) == len(TABLES) and all(_is(out / name, facts) for name, facts in note.items()):
            whole[shard] = note
        else:
            _note_path(out, shard).unlink(missing_ok=True)
    return whole


def put_shard(out: Path, shard: int, folder: Path, rows: Mapping[str, int]) -> Note:
    """Put a shard's finished files into their places, and note that they are whole.

    Args:
        out: of the world.
        shard: its number.
        folder: holds a file by the name of each table.
        rows: of each table.

    Raises:
        OSError: the disk refuses.
    """
    note: Note = {}
    for table in TABLES:
        made = folder / table
        sync(made)
        note[part(table, shard)] = {"rows": rows[table], **_facts(made)}
    for table in TABLES:
        (folder / table).replace(out / part(table, shard))
        sync(out / table)
    beside = folder / "note"
    write_synced(beside, _json(note))
    beside.replace(_note_path(out, shard))
    return note


def finish(out: Path, options: Options, notes: Mapping[int, Note]) -> dict[str, Any]:
    """Write the manifest, by which the folder is whole, and return it.

    Raises:
        OSError: the disk refuses.
    """
    files = {name: facts for shard in sorted(notes) for name, facts in notes[shard].items()}
    total = {
        what: {table: sum(f[what] for name, f in files.items() if name.startswith(f"{table}/")) for table in TABLES}
        for what in ("rows", "bytes")
    }
    manifest = {"format": _FORMAT, "options": asdict(options), **total, "files": dict(sorted(files.items()))}
    beside = out / f"{PARTIAL}manifest"
    write_synced(beside, _json(manifest))
    beside.replace(out / MANIFEST)
    sync(out)
    shutil.rmtree(out / NOTES)
    (out / UNDER_WAY).unlink()
    return manifest


def _refuse_foreign(out: Path, options: Options) -> None:
    """Refuse a folder that holds what this synthesis would not have put there."""
    if not out.is_dir():
        raise Misuse(f"--out {out}: is a file, but must be a folder")
    if not any(out.iterdir()):
        return
    for name in (MANIFEST, UNDER_WAY):
        with suppress(OSError, ValueError):
            found = json.loads((out / name).read_bytes())
            if not isinstance(found, dict) or found.get("format") != _FORMAT:
                continue
            if found["options"] != asdict(options):
                raise Misuse(f"--out {out}: holds synthetic events of other options; name another folder or remove it")
            return
    raise Misuse(f"--out {out}: is not empty and holds no synthetic events; name another folder")


def _sweep(out: Path) -> None:
    """Remove what no note and no manifest stands for, as far as the disk lets."""
    with suppress(OSError):
        for partial in out.glob(f"{PARTIAL}*"):
            if partial.is_dir():
                shutil.rmtree(partial, ignore_errors=True)
            else:
                partial.unlink()
        told = _told(out)
        for table in TABLES:
            for file in (out / table).glob("part-*.parquet"):
                if f"{table}/{file.name}" not in told:
                    file.unlink()


def _told(out: Path) -> Note:
    """Return what manifest and notes say of files; a file that cannot be read says nothing."""
    told: Note = {}
    with suppress(OSError, ValueError, KeyError):
        told |= json.loads((out / MANIFEST).read_bytes())["files"]
    for note in sorted((out / NOTES).glob("part-*.json")):
        with suppress(OSError, ValueError):
            told |= json.loads(note.read_bytes())
    return told


def _note_path(out: Path, shard: int) -> Path:
    return out / NOTES / f"part-{shard:05d}.json"


def _facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}


def _is(path: Path, facts: Mapping[str, Any]) -> bool:
    try:
        return bool(path.stat().st_size == facts["bytes"] and _facts(path)["sha256"] == facts["sha256"])
    except OSError:
        return False


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"


def need_disk(out: Path, size: int) -> None:
    """Refuse a size for which the disk has no room.

    Raises:
        DataError: says how much is free.
    """
    there = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < size:
        raise DataError(f"{out} has {free / 1e9:,.1f} GB free, but {size / 1e9:,.1f} GB are needed: take another disk")
