"""Ugly tables, drawn at random from a seed: what people export, with a signal hidden in it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

LABEL_PAIRS = (
    ("No", "Yes"), ("N", "Y"), ("0", "1"), ("False", "True"), ("0.0", "1.0"), ("active", "churned"), ("stayed", "Left"),
    ("false", "true"), ("no", "yes"), ("retained", "cancelled"), ("good", "bad"), ("-1", "1"), ("1", "2"),
)  # fmt: skip
DELIMITERS = ",;\t|"
TITLES = (
    "Monthly  Bill", "price (EUR)", 'the "best" one', "a.b.c", "select", "class", "größe", "客户", "😀", "1st", "x-y",
    "CamelCaseName", "UPPER", "a,b;c|d", "name", "index", "_", "__proto__", "None", "contract", "label", "features",
    "missing", "tab\tinside", "quote'd", "back\\slash", "percent%", "#hash", "[features]", "a=b", " led", "float64",
)  # fmt: skip
DATES = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+02:00", "%d/%m/%Y", "%m/%d/%Y",
    "%d.%m.%Y", "%b %d, %Y", "%d %B %Y", "%d-%b-%y", "%m/%d/%Y %I:%M %p", "%Y%m%d", "%d.%m.%Y %H:%M", "%Y/%m/%d",
    "%a, %d %b %Y %H:%M:%S GMT", "%d-%m-%Y", "%d/%m/%y",
)  # fmt: skip
ABSENT = ("", "N/A", "null", "-", "?", "unknown", "NaN", "None", "n/a", " ", "NA")
START = datetime(2015, 1, 1, tzinfo=UTC)

Cells = list[Any]
Draw = Callable[[np.random.Generator, NDArray[np.float64], NDArray[np.int8]], Cells]


@dataclass(frozen=True)
class Ugly:
    """One table.

    Attributes:
        path: where it lies.
        label: its label's column.
        columns: kind of each column by its title.
    """

    path: Path
    label: str
    columns: Mapping[str, str]


def _numbers(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    return list(np.round(signal * random.normal() * 20 + random.normal(size=len(signal)) * 20 + 500, 2).tolist())


def _counts(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    return list(random.poisson(np.exp(np.clip(signal * 0.5 + 1, -3, 6))).tolist())


def _dates(written: str) -> Draw:
    def draw(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
        days = np.clip(1_500 + 300 * signal + 400 * random.normal(size=len(signal)), 0, 3_600)
        return [(START + timedelta(days=float(day))).strftime(written) for day in days]

    return draw


def _stamps(scale: int) -> Draw:
    def draw(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
        return [int((1.5e9 + 2e7 * v) * scale) for v in signal + random.normal(size=len(signal))]

    return draw


def _typed_dates(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    moments = [START + timedelta(days=float(day)) for day in random.integers(0, 3_000, len(signal))]
    return [moment.date() for moment in moments] if random.random() < 0.5 else moments


def _categories(most: int) -> Draw:
    def draw(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
        ranks = np.argsort(np.argsort(signal + random.normal(size=len(signal))))
        place = np.where(
            random.random(len(signal)) < 0.5, ranks * most // len(signal), random.integers(0, most, len(signal))
        )
        marks = ("", "é", "😀", '"', "'", ",", ";", " x", "|", "\\", "\u2028")
        names = [f"{marks[i % len(marks)] if random.random() < 0.3 else ''}cat {i}" for i in range(most)]
        return [names[i] for i in place]

    return draw


def _money(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    values = np.round(np.exp(signal + 6 + random.normal(size=len(signal))), 2)
    form = int(random.integers(0, 5))
    texts = [f"{value:,.2f}" for value in values]
    swapped = [text.replace(",", "_").replace(".", ",").replace("_", ".") for text in texts]
    return [
        [f"${text}" for text in texts],
        [f"{text} €" for text in swapped],
        [f"{value % 100:.0f} %" for value in values],
        texts,
        [text.replace(".", " ") for text in swapped],
    ][form]


def _flags(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    pairs = (("Yes", "No"), ("Y", "N"), (1, 0), (True, False), ("true", "false"), ("on", "off"), (1.0, 0.0), ("T", "F"))
    yes, no = pairs[int(random.integers(0, len(pairs)))]
    return [yes if value > 0 else no for value in signal + random.normal(size=len(signal)) * 2]


def _texts(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    forms = (
        lambda i: json.dumps({"id": i, "tags": ["a", 'b"', "c\n"]}),
        lambda i: "long " * 200 + str(i),
        lambda i: f"a note, number {i}; with | marks\nand lines",
        lambda i: f"00{i % 900:03d}",
        lambda i: f"user{i}@example.org",
        lambda i: f"+49 170 {i:07d}",
        lambda i: f"192.168.{i % 250}.{i % 13}",
        lambda i: "😀" * (i % 5 + 1),
    )
    form = forms[int(random.integers(0, len(forms)))]
    return [form(i) for i in range(len(signal))]


def _mixed(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    return [f"{value:.3f}" if random.random() > 0.03 else "see note" for value in signal]


def _constant(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    cells: Cells = ["same"] * len(signal)
    if random.random() < 0.5:
        cells[0] = "other"
    return cells


def _empty(_: np.random.Generator, signal: NDArray[np.float64], __: NDArray[np.int8]) -> Cells:
    return [None] * len(signal)


def _leak(random: np.random.Generator, _: NDArray[np.float64], labels: NDArray[np.int8]) -> Cells:
    return [float(value) + float(random.random()) / 2 for value in labels]


def _reason(random: np.random.Generator, _: NDArray[np.float64], labels: NDArray[np.int8]) -> Cells:
    return [("price", "moved", "other")[int(random.integers(0, 3))] if value else None for value in labels]


def _outcome_date(random: np.random.Generator, _: NDArray[np.float64], labels: NDArray[np.int8]) -> Cells:
    days = random.integers(0, 365, len(labels)).tolist()
    return [(START + timedelta(days=d)).strftime("%Y-%m-%d") if v else None for v, d in zip(labels, days, strict=True)]


def _ids(random: np.random.Generator, signal: NDArray[np.float64], _: NDArray[np.int8]) -> Cells:
    base = int(random.integers(1, 10**9))
    return [f"{i * 7919 + base:x}-{i % 97:02d}" for i in range(len(signal))]


KINDS: Mapping[str, Draw] = {
    "number": _numbers, "count": _counts, "typed date": _typed_dates, "seconds": _stamps(1), "millis": _stamps(1_000),
    "few": _categories(4), "some": _categories(60), "many": _categories(4_000), "money": _money, "flag": _flags,
    "text": _texts, "mixed": _mixed, "constant": _constant, "empty": _empty, "leak": _leak, "reason": _reason,
    "outcome date": _outcome_date, "id": _ids, **{f"date {written}": _dates(written) for written in DATES},
}  # fmt: skip


def make_ugly(folder: Path, seed: int, rows: int = 1_500, width: int | None = None) -> Ugly:
    """Write one ugly table, csv or parquet; the same seed gives the same one."""
    random = np.random.default_rng(seed)
    signal = random.normal(size=rows)
    labels = (random.random(rows) < 1 / (1 + np.exp(1.2 - 1.5 * signal))).astype(np.int8)
    columns: dict[str, Cells] = {}
    kinds: dict[str, str] = {}
    count = width or int(random.choice([6, 15, 30, 60]))
    names = [*KINDS]
    for i in range(count):
        kind = names[int(random.integers(0, len(names)))] if i > 1 else ("number", "few")[i]
        title = _title(random, kind, i, columns)
        cells = KINDS[kind](random, signal, labels)
        columns[title] = cells if kind in {"leak", "reason", "outcome date"} else _holed(random, cells, i)
        kinds[title] = kind
    label = ("Churn", "target", "is churned?", "Attrition_Flag")[seed % 4]
    pair = LABEL_PAIRS[int(random.integers(0, len(LABEL_PAIRS)))]
    columns[label] = [pair[value] for value in labels]
    if random.random() < 0.3:
        columns = {title: cells + cells[: rows // 10] for title, cells in columns.items()}
    path = folder / (f"ugly {seed}.parquet" if seed % 3 == 0 else f"ugly {seed}.csv")
    (_write_parquet if seed % 3 == 0 else _write_csv)(path, columns, random)
    return Ugly(path, label, kinds)


def _title(random: np.random.Generator, kind: str, i: int, taken: Mapping[str, Cells]) -> str:
    chosen = TITLES[int(random.integers(0, len(TITLES)))]
    if kind == "outcome date":
        chosen = f"end_date {i}"
    elif kind == "reason":
        chosen = f"reason {i}"
    elif kind in {"seconds", "millis"}:
        chosen = f"created_at {i}"
    elif random.random() < 0.5:
        chosen = f"{kind.replace('%', '')} {i}"
    bare = {title.strip() for title in taken}
    return chosen if chosen.strip() not in bare else f"{chosen} {i}"


def _holed(random: np.random.Generator, cells: Cells, i: int) -> Cells:
    """Empty some cells, at times most of them, with one table's own word for it."""
    if i < 2 or random.random() < 0.4:
        return cells
    share = float(random.choice([0.01, 0.2, 0.7, 0.97]))
    absent = ABSENT[int(random.integers(0, len(ABSENT)))] if isinstance(cells[0], str) else None
    return [absent if gone else cell for cell, gone in zip(cells, random.random(len(cells)) < share, strict=True)]


def _write_parquet(path: Path, columns: Mapping[str, Cells], _: np.random.Generator) -> None:
    pq.write_table(pa.table({title: pa.array(cells) for title, cells in columns.items()}), path)


def _write_csv(path: Path, columns: Mapping[str, Cells], random: np.random.Generator) -> None:
    """Write as spreadsheets do: quotes where they are needed, any delimiter, at times a byte order mark and CRLF."""
    delimiter = DELIMITERS[int(random.integers(0, len(DELIMITERS)))]
    end = "\r\n" if random.random() < 0.5 else "\n"

    def cell(value: Any) -> str:
        text = "" if value is None else str(value)
        quoted = any(mark in text for mark in (delimiter, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if quoted else text

    lines = [delimiter.join(cell(title) for title in columns)]
    lines += [delimiter.join(map(cell, row)) for row in zip(*columns.values(), strict=True)]
    mark = "\ufeff" if random.random() < 0.5 else ""
    path.write_text(mark + end.join(lines) + end, encoding="utf-8", newline="")
