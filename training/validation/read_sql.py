"""The SQL that reads a value as training does: a number, a text, a moment; whatever the table's type for it."""

from training.dataset.numbers import MISSING_WORDS

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|Inf|INF|infinity|Infinity)"
_DIGITS = "[0-9]+(_[0-9]+)*"
_FLAG = rf"[+-]?({_DIGITS}\.?({_DIGITS})?|\.{_DIGITS})(e[+-]?{_DIGITS})?|[+-]?(inf|infinity)"
"""In lower case, as Python reads it: see `training.dataset.numbers.flag_of`."""

_MISSING = ", ".join(f"'{word}'" for word in MISSING_WORDS)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_BROKEN = ("FLOAT", "DOUBLE")


def is_number(kind: str) -> bool:
    """Tell whether a type of DuckDB's holds numbers."""
    return is_exact(kind) or kind in _BROKEN


def is_exact(kind: str) -> bool:
    """Tell whether a type holds whole or decimal numbers: none of them is NaN, and no two are spelled the same."""
    return kind in _WHOLE or (kind.startswith("DECIMAL") and kind.endswith(")"))


def is_moment(kind: str) -> bool:
    """Tell whether a type holds moments, to be read in microseconds."""
    return kind != "VARCHAR" and not is_number(kind)


def spells_nothing(kind: str) -> bool:
    """Tell whether a type has values that are missing as texts, beside NULL."""
    return kind == "VARCHAR" or kind in _BROKEN


def read_number(name: str, kind: str, *, flag: bool) -> tuple[str, str]:
    """Return the SQL of a number and of whether there is a value that is none; see `training.dataset.numbers`."""
    if is_exact(kind):
        return f"CAST({name} AS DOUBLE)", "FALSE"
    if kind in _BROKEN:
        return f"CASE WHEN isnan({name}) THEN NULL ELSE CAST({name} AS DOUBLE) END", "FALSE"
    if kind == "BOOLEAN" and flag:
        return f"CAST({name} AS DOUBLE)", "FALSE"
    if kind != "VARCHAR":
        return "CAST(NULL AS DOUBLE)", f"{name} IS NOT NULL"
    word = f"lower(trim({name}))"
    number = f"CASE WHEN regexp_full_match(trim({name}), '{_NUMBER}') THEN TRY_CAST(trim({name}) AS DOUBLE) END"
    if flag:
        number = f"CASE WHEN regexp_full_match({word}, '{_FLAG}') THEN TRY_CAST(replace({word}, '_', '') AS DOUBLE) END"
        yes, no = "('true', 'yes', 't', 'y')", "('false', 'no', 'f', 'n')"
        number = f"CASE WHEN {word} IN {yes} THEN 1.0 WHEN {word} IN {no} THEN 0.0 ELSE ({number}) END"
    missing = f"({name} IS NULL OR {word} IN ({_MISSING}))"
    return f"CASE WHEN {missing} THEN NULL ELSE ({number}) END", f"(NOT {missing} AND ({number}) IS NULL)"


def read_text(name: str, kind: str) -> str:
    """Return the SQL of a value as text, NULL where missing; see `training.dataset.texts`."""
    if kind in _BROKEN:
        wide = f"CAST({name} AS DOUBLE)"  # a float32 is spelled as the number it is
        whole = f"{name} = floor({name})"
        digits = f"WHEN {whole} AND isfinite({name}) THEN printf('%.0f', {wide})"
        small = f"WHEN {whole} AND abs({name}) < 9e18 THEN CAST(CAST({name} AS BIGINT) AS VARCHAR)"
        text = f"CASE {small} {digits} ELSE CAST({wide} AS VARCHAR) END"
        return f"CASE WHEN isnan({name}) THEN NULL ELSE {text} END"
    if kind == "VARCHAR":
        # Blanks sort below '!': most texts need no trimming to be told from them.
        return f"CASE WHEN {name} < '!' AND trim({name}) = '' THEN NULL ELSE {name} END"
    return f"CAST({name} AS VARCHAR)"


def read_time(name: str, kind: str) -> str:
    """Return the SQL of a moment in epoch seconds, NULL where there is none; without a zone it is UTC."""
    if is_number(kind):
        return f"CAST({name} AS DOUBLE)"
    if kind == "VARCHAR":
        moment = f"TRY_CAST(trim({name}) AS TIMESTAMPTZ)"
        return f"COALESCE(TRY_CAST(trim({name}) AS DOUBLE), epoch_us({moment}) / 1e6)"
    return micros_as_seconds(read_micros(name, kind))


def read_micros(name: str, kind: str) -> str:
    """Return the SQL of a moment of a type of moments in microseconds since the epoch; NULL where it is infinite."""
    return f"epoch_us({name if kind == 'TIMESTAMP WITH TIME ZONE' else f'CAST({name} AS TIMESTAMP)'})"


def micros_as_seconds(micros: str) -> str:
    """Return the SQL of microseconds as seconds."""
    return f"{micros} / 1e6"


def quoted(name: str) -> str:
    """Return a column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"
