"""A browser proves that it can read a telephone's messages, for people without an account (凭手机号查看): a code, five minutes, three tries, once.

The limits are those of login codes (`ACCOUNT_RATE_LIMITS["request_login_code"]`), counted by allauth over the cache that all processes share. What waits lies in the browser's
session: the number sealed, the code as a keyed digest.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from allauth.core.internal import ratelimit
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac
from django.utils.translation import gettext as _

from xiezhi.foundation.accounts import phones, texts
from xiezhi.foundation.privacy.sealing import seal, unseal
from xiezhi.foundation.workflow.errors import Refused

SESSION_KEY = "number_proof"
VALID = timedelta(minutes=5)
MOST_TRIES = 3
APP, ACTION = "allauth.account", "request_login_code"


def ask(request: HttpRequest, *, number: str, known: Callable[[str], bool], at: datetime) -> None:
    """Send a code to `number` if it is `known`; the visitor is told the same either way, so that nobody learns whose number is here.

    Raises Refused for what is no mobile number, too many requests, no SMS channel, and a gateway that does not take the message.
    """
    digits = phones.normal(number)
    if not texts.can_send():
        raise Refused(_("这里还没有开通短信，暂时不能用手机号查看。请使用购卡时的链接，或请商家重发。"))
    if not ratelimit.consume(request, app=APP, action=ACTION, key=phones.digest(digits)):
        raise Refused(_("发得太频繁了，请过一会儿再试。"))
    code = get_random_string(6, "0123456789")
    request.session[SESSION_KEY] = {
        "number": seal(digits),
        "code": _digest(code, digits),
        "until": (at + VALID).isoformat(),
        "tries": 0,
    }
    if known(digits):
        texts.send(
            digits, _("协治验证码 %(code)s，5 分钟内有效，用于查看您的预付卡。不要告诉任何人。") % {"code": code}
        )


def is_waiting(session: SessionBase) -> bool:
    """Whether a code was asked for from this browser."""
    return SESSION_KEY in session


def prove(session: SessionBase, *, code: str, at: datetime) -> str:
    """The proven number, as eleven digits; the code is used up. Raises Refused for a wrong, an expired or a used code."""
    waiting: dict[str, Any] | None = session.get(SESSION_KEY)
    if waiting is None:
        raise Refused(_("请先填手机号，取得验证码。"))
    if at > datetime.fromisoformat(waiting["until"]):
        del session[SESSION_KEY]
        raise Refused(_("验证码已过期，请重新获取。"))
    number = unseal(waiting["number"])
    if constant_time_compare(_digest(code.strip(), number), waiting["code"]):
        del session[SESSION_KEY]
        return number
    tries = waiting["tries"] + 1
    if tries >= MOST_TRIES:
        del session[SESSION_KEY]
        raise Refused(_("验证码错了 3 次，已作废，请重新获取。"))
    session[SESSION_KEY] = {**waiting, "tries": tries}
    raise Refused(_("验证码不对，还可以试 %(left)s 次。") % {"left": MOST_TRIES - tries})


def _digest(code: str, number: str) -> str:
    return salted_hmac("xiezhi.accounts.number_proof", f"{number}:{code}", algorithm="sha256").hexdigest()
