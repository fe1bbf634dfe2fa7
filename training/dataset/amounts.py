"""Amounts as people write them: signs of currencies and percent, grouped thousands, decimal commas."""

import pyarrow as pa
import pyarrow.compute as pc

from ebb.contract.feature import Written

_SIGNS = (
    "[$€£¥₹₽₩₺₴₦₫₱¢]", r"R\$", r"US\$", "CHF", "USD", "EUR", "GBP", "JPY", "INR", "BRL", "CAD", "AUD", "SEK", "NOK",
    "DKK", "PLN", "CZK", "HUF", "TRY", "ZAR", "Kč", "zł", r"kr\.?", r"Rs\.?",
)  # fmt: skip
_SIGN = f"(?:{'|'.join(_SIGNS)})"
_BLANK = r"[ \x{a0}\x{202f}]"
_APOSTROPHE = r"['\x{2019}]"
_MINUS = r"[-\x{2212}]"
_GROUP = {
    Written.POINT: f"(?:,|{_APOSTROPHE}|{_BLANK})",
    Written.COMMA: rf"(?:\.|{_APOSTROPHE}|{_BLANK})",
}
_DECIMAL = {Written.POINT: r"\.", Written.COMMA: ","}
_SHAPE = (
    r"^\(?(?:{minus}|\+)?{blank}?(?:{sign}{blank}?)?(?:{minus}|\+)?(?:\d+|\d{{1,3}}(?:{group}\d{{3}})+)?"
    r"(?:{decimal}\d*)?(?:[eE][-+]?\d+)?{blank}*(?:{sign}|%)?-?\)?$"
)
_JUNK = "[^0-9eE.+-]"


def shape_of(written: Written) -> str:
    """Return the regular expression of an amount in this spelling."""
    return _SHAPE.format(sign=_SIGN, blank=_BLANK, minus=_MINUS, group=_GROUP[written], decimal=_DECIMAL[written])


def fits(texts: pa.Array, written: Written) -> bool:
    """Tell whether every one of some trimmed texts is an amount in this spelling."""
    return bool(pc.all(_good(texts, written)).as_py())


def plain_amounts(texts: pa.Array, written: Written) -> pa.Array:
    """Return trimmed texts as numbers are written in programs; null where one is no amount in this spelling.

    An amount in round brackets, or with a minus behind it, is negative, as accountants write it.
    """
    text = pc.if_else(_good(texts, written), texts, pa.scalar(None, texts.type))
    negative = pc.match_substring_regex(text, rf"^\(.*\)$|-$|^[^0-9]*{_MINUS}")
    text = pc.replace_substring_regex(text, f"{_SIGN}|%", "")
    if written is Written.COMMA:
        text = pc.replace_substring(pc.replace_substring(text, ".", ""), ",", ".")
    text = pc.replace_substring_regex(pc.replace_substring_regex(text, _JUNK, ""), "^[-+]+|-$", "")
    return pc.if_else(
        negative, pc.binary_join_element_wise(pa.scalar("-", text.type), text, pa.scalar("", text.type)), text
    )


def _good(texts: pa.Array, written: Written) -> pa.Array:
    digits = pc.match_substring_regex(texts, "[0-9]")
    return pc.and_(pc.match_substring_regex(texts, shape_of(written)), digits)
