"""What a column's name says about it, and names that a contract can carry."""

import re

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LONGEST_NAME = 64
_KEY = {"id", "ids", "key", "uuid", "guid", "number", "nr", "no", "index", "idx", "rownumber"}
_PROTECTED = {
    "gender", "sex", "age", "senior", "race", "racial", "ethnic", "ethnicity", "religion", "religious", "nationality",
    "citizenship", "disability", "disabled", "marital", "married", "pregnant", "orientation", "veteran", "skin",
}  # fmt: skip
_PERSONAL = {
    "name", "firstname", "lastname", "surname", "email", "mail", "phone", "telephone", "mobile", "fax", "address",
    "street", "birth", "birthday", "birthdate", "dob", "zip", "zipcode", "postcode", "postal", "ssn", "passport",
    "iban", "ip", "latitude", "longitude", "lat", "lon", "gender", "sex", "age", "senior", "race", "ethnicity",
    "religion", "nationality", "disability", "marital", "income", "salary",
}  # fmt: skip
_AFTERWARDS = re.compile(
    r"churn|cancel|terminat|attrit|closed|closure|exit|leaving|left_on|winback|refund|end_date|date_end|ended|reason"
    r"|final|last_day|deactivat|lapsed|outcome|survival|lifetime|duration|days_to_|days_until|time_to_|time_until|resign"
    r"|quit|leave_date|left_date|date_left|departure|withdraw|unsubscri|suspend|settle|default_date|post_"
)
_MOVING = {
    "last", "latest", "recent", "recently", "updated", "modified", "changed", "next", "current", "snapshot",
    "extracted", "exported", "loaded", "refreshed", "seen", "active",
}  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NOT_A_PHONE = {"service", "lines", "line", "plan", "support"}


def words(column: str) -> list[str]:
    """Split a name into lower-case words: `customerID` and `Customer Id` give customer, id."""
    return [word.lower() for word in _WORDS.findall(column)]


def snake(column: str) -> str:
    """Spell a name in lower-case words joined by underscores; may be empty."""
    return "_".join(words(column))


def feature_name(column: str, taken: set[str]) -> str:
    """Return a name that the contract accepts and nobody has taken: the column's own where it can be."""
    name = column if _IDENTIFIER.fullmatch(column) else snake(column)
    if not _IDENTIFIER.fullmatch(name):
        name = f"column_{name}"[:_LONGEST_NAME].rstrip("_")
    chosen, count = name, 1
    while chosen in taken:
        count += 1
        chosen = f"{name[: _LONGEST_NAME - 6]}_{count}"
    return chosen


def contract_name(text: str) -> str:
    """Return a name that a contract may have, from a file's or folder's name."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-").lstrip("0123456789-")[:_LONGEST_NAME]
    return name or "contract"


def looks_like_key(column: str) -> bool:
    """Tell whether the last word of a name is one that keys end with."""
    split = words(column)
    return bool(split) and split[-1] in _KEY


def looks_protected(column: str) -> bool:
    """Tell whether a name speaks of an attribute that laws against discrimination protect."""
    return bool(_PROTECTED & set(words(column)))


def looks_personal(column: str) -> bool:
    """Tell whether a name speaks of something that tells who a person is, or a private fact."""
    split = set(words(column))
    if split & _NOT_A_PHONE:
        split -= {"phone", "mobile"}
    return bool(_PERSONAL & split)


def looks_known_afterwards(column: str) -> bool:
    """Tell whether a name speaks of something that is known only once the outcome is."""
    return bool(_AFTERWARDS.search(snake(column)))


def moves_with_time(column: str) -> bool:
    """Tell whether a date by this name would be another one had the table been written later."""
    return bool(_MOVING & set(words(column)))
