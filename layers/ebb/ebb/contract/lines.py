"""Where a key stands in a TOML text: the standard parser does not tell, and an error should name the line."""

import re
from collections import Counter

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*\.?""")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')


def key_lines(text: str) -> dict[Path, int]:
    """Map each table header and key of a valid TOML text to its 1-based line.

    Tables of an array carry their position: the second `[[features]]` with its `name` gives the paths
    `("features", 1)` and `("features", 1, "name")`. Keys inside inline tables are not listed.
    """
    found: dict[Path, int] = {}
    counts: Counter[Path] = Counter()
    table: Path = ()
    open_quote, depth = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not open_quote and depth == 0:
            header, key = _HEADER.match(line), _KEY.match(line)
            if header:
                table = _parts(header[2])
                if header[1] == "[[":
                    counts[table] += 1
                    table = (*table, counts[table] - 1)
                found[table] = number
                continue
            if key:
                found[(*table, *_parts(key[1]))] = number
        open_quote, depth = _continuation(line, open_quote, depth)
    return found


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of `path`, else of the nearest table or key above it, else None."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _parts(dotted: str) -> Path:
    return tuple(next(p for p in match if p) for match in _PART.findall(dotted) if any(match))


def _continuation(line: str, open_quote: str, depth: int) -> tuple[str, int]:
    """Tell whether the next line still belongs to this line's value: an open triple quote, or open brackets."""
    rest = line
    while True:
        if open_quote:
            _, closed, rest = rest.partition(open_quote)
            if not closed:
                return open_quote, depth
            open_quote = ""
        starts = [(rest.find(q), q) for q in ('"""', "'''") if q in rest]
        if not starts:
            break
        at, open_quote = min(starts)
        depth += _balance(rest[:at])
        rest = rest[at + 3 :]
    return "", depth + _balance(rest)


def _balance(text: str) -> int:
    plain = _STRING.sub("", text).partition("#")[0]
    return plain.count("[") + plain.count("{") - plain.count("]") - plain.count("}")
