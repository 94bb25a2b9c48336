"""One spelling for texts that say the same: width, case, spaces, numbers and place anonymisers."""

from __future__ import annotations

import re

PLACE = "△"  # stands for an anonymised or lettered place: A市, A3区, L7县
NUMBER = "0"  # stands for any run of digits

_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_DIGITS = re.compile(r"\d+")
_LETTERED_PLACE = re.compile(rf"[a-z]{NUMBER}?(?=[市区县镇])")  # after the digits were levelled
_NOT_WORD = re.compile(rf"[^\w{PLACE}]+|_+")
_WIDE = re.compile("[\uff01-\uff5e]")


def narrow(text: str) -> str:
    """Full-width forms to half width, lower case, length kept: one character in, one out (so positions stay true).

    Not NFKC: that may lengthen a text eighteenfold and takes quadratic time on runs of combining marks. A character whose lower case
    is longer than itself (İ) stays as it is.
    """
    narrowed = text.translate(_NARROW) if _WIDE.search(text) else text.replace("\u3000", " ")
    lowered = narrowed.lower()
    if len(lowered) == len(narrowed):
        return lowered
    return "".join(low if len(low := each.lower()) == 1 else each for each in narrowed)


def normalise(text: str) -> str:
    """The text the engines compare and learn from: narrow, without spaces and punctuation, digits and lettered places levelled.

    Linear in the length. `A3区` and `b7区` become `△区`, `2019` becomes `0`. Idempotent.
    """
    return _LETTERED_PLACE.sub(PLACE, _DIGITS.sub(NUMBER, _NOT_WORD.sub("", narrow(_NOT_WORD.sub("", text)))))
