"""Telephone numbers as a way in. The number itself is never kept: a keyed digest finds the person, four digits remind them of it."""

import re

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from xiezhi.foundation.workflow.errors import Refused

MOBILE = re.compile(r"1[3-9]\d{9}")


def normal(text: str) -> str:
    """A mainland mobile number as eleven digits, from what people type (spaces, dashes, +86). Raises Refused for anything else."""
    digits = re.sub(r"[\s\-()（）]", "", text)
    digits = re.sub(r"^(\+86|0086|86(?=1\d{10}$))", "", digits)
    if not MOBILE.fullmatch(digits):
        raise Refused(_("请填 11 位手机号，例如 13800000000。"))
    return digits


def digest(number: str) -> str:
    """What is kept of a number: HMAC-SHA256 under the installation's secret. Another secret finds nobody: numbers are then entered again."""
    return salted_hmac("xiezhi.accounts.phone", number, algorithm="sha256").hexdigest()
