"""How names are compared. Pure text: no database here."""

import unicodedata
from functools import lru_cache

LEGAL_FORMS = (
    "有限责任公司",
    "股份有限公司",
    "有限公司",
    "普通合伙",
    "有限合伙",
    "特殊普通合伙",
    "个人独资",
    "个体工商户",
)
"""Endings that say what a firm legally is and are the first to be left out of a sheet. Longest first where one ends another."""
SHORTEST = 2
MOST_PAIRS = 40
"""Names are compared by at most so many pairs of neighbouring characters."""


@lru_cache(maxsize=4096)
def normal_name(name: str) -> str:
    """`name` as it is compared: full width and brackets folded, spaces and marks dropped, lower case, without its legal form.

    The legal form stays where nothing of two characters would be left.
    """
    text = plain(name)
    for form in sorted(LEGAL_FORMS, key=len, reverse=True):
        if text.endswith(form) and len(text) - len(form) >= SHORTEST:
            return text[: -len(form)]
    return text


def plain(text: str) -> str:
    """Letters, digits and characters only, folded by NFKC and case: what remains when only how it is written differs."""
    return "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if each.isalnum())


def pairs(normal: str) -> list[str]:
    """The different pairs of neighbouring characters in a normal name, in order, at most MOST_PAIRS."""
    found = dict.fromkeys(normal[at : at + 2] for at in range(len(normal) - 1))
    return list(found)[:MOST_PAIRS]


def likeness(one: str, other: str) -> float:
    """Dice's coefficient over pairs of neighbouring characters of two normal names: 0.0 nothing in common, 1.0 all."""
    left, right = set(pairs(one)), set(pairs(other))
    if not left or not right:
        return float(one == other and bool(one))
    return 2 * len(left & right) / (len(left) + len(right))
