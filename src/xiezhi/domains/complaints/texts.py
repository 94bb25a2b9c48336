"""What this room does with text: cleaning what comes in, masking personal data, and cutting words for searching. Pure functions."""

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 100_000
_PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?![0-9A-Za-z])")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[- ]?\d{3,4}(\d{4})(?!\d)")
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])(\d{4})\d{2}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
)
_MAIL = re.compile(r"([A-Za-z0-9])[A-Za-z0-9._%+-]*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_CARD = re.compile(r"(?<![0-9A-Za-z])(\d{4})[ ]?\d{4}[ ]?\d{4}[ ]?(\d{4}(?:[ ]?\d{3})?)(?![0-9A-Za-z])")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_PLAIN = re.compile(r"[a-z0-9]+(?:-[0-9]+)*")


def clean(text: str) -> str:
    """`text` without what no database or page can hold: control marks but line ends and tabs, and lone halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "ignore").decode("utf-8")
    return "".join(
        sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs", "Cn"}
    ).strip()


def mask_personal(text: str) -> str:
    """`text` with the middle of telephone, identity and card numbers and mail addresses hidden, for whoever need not know them."""
    text = _IDENTITY.sub(r"\1**************", text)
    text = _PHONE.sub(r"\1****\3", text)
    text = _CARD.sub(r"\1 **** **** \2", text)
    text = _LANDLINE.sub(r"\1-****\2", text)
    return _MAIL.sub(r"\1***@\2", text)


def heading(text: str, longest: int = 40) -> str:
    """The first sentence of a text as a title, without personal numbers."""
    first = re.split(r"[。！？!?\n]", mask_personal(text).strip(), maxsplit=1)[0].strip()
    return first if len(first) <= longest else f"{first[: longest - 1]}…"


def search_words(*texts: str) -> list[str]:
    """Pairs of neighbouring Chinese characters and whole Latin words and numbers, each once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        for word in _words(unicodedata.normalize("NFKC", text).lower()):
            found.setdefault(word)
    return list(found)


def _words(text: str) -> Iterator[str]:
    for run in _HAN.findall(text):
        yield from (run[position : position + 2] for position in range(max(1, len(run) - 1)))
    yield from _PLAIN.findall(text)
