"""The SQL that reads a value as training does: a number, a text, a moment; whatever the table's type for it."""

from training.dataset.numbers import MISSING_WORDS

_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|Inf|INF|infinity|Infinity)"
_MISSING = ", ".join(f"'{word}'" for word in MISSING_WORDS)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_BROKEN = ("FLOAT", "DOUBLE")


def is_number(kind: str) -> bool:
    """Tell whether a type of DuckDB's holds numbers."""
    return kind.startswith((*_WHOLE, *_BROKEN, "DECIMAL"))


def read_number(name: str, kind: str, *, flag: bool) -> tuple[str, str]:
    """Return the SQL of a number and of whether there is a value that is none; see `training.dataset.numbers`."""
    if kind.startswith((*_WHOLE, "DECIMAL")):
        return f"CAST({name} AS DOUBLE)", "FALSE"
    if kind.startswith(_BROKEN):
        return f"CASE WHEN isnan({name}) THEN NULL ELSE CAST({name} AS DOUBLE) END", "FALSE"
    if kind == "BOOLEAN" and flag:
        return f"CAST({name} AS DOUBLE)", "FALSE"
    if kind != "VARCHAR":
        return "CAST(NULL AS DOUBLE)", f"{name} IS NOT NULL"
    word = f"lower(trim({name}))"
    number = f"CASE WHEN regexp_full_match(trim({name}), '{_NUMBER}') THEN TRY_CAST(trim({name}) AS DOUBLE) END"
    if flag:
        yes, no = "('true', 'yes', 't', 'y')", "('false', 'no', 'f', 'n')"
        number = f"CASE WHEN {word} IN {yes} THEN 1.0 WHEN {word} IN {no} THEN 0.0 ELSE ({number}) END"
    missing = f"({name} IS NULL OR {word} IN ({_MISSING}))"
    return f"CASE WHEN {missing} THEN NULL ELSE ({number}) END", f"(NOT {missing} AND ({number}) IS NULL)"


def read_text(name: str, kind: str) -> str:
    """Return the SQL of a value as text, NULL where missing; see `training.dataset.texts`."""
    if kind.startswith(_BROKEN):
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
    if kind.startswith((*_WHOLE, *_BROKEN, "DECIMAL")):
        return f"CAST({name} AS DOUBLE)"
    if kind == "VARCHAR":
        moment = f"TRY_CAST(trim({name}) AS TIMESTAMPTZ)"
        return f"COALESCE(TRY_CAST(trim({name}) AS DOUBLE), epoch_us({moment}) / 1e6)"
    moment = name if kind == "TIMESTAMP WITH TIME ZONE" else f"CAST({name} AS TIMESTAMP)"
    return f"epoch_us({moment}) / 1e6"


def quoted(name: str) -> str:
    """Return a column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"
