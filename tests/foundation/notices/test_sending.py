"""Messages leave the house over real HTTP; what cannot be sent says why, and addresses stay secret."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders.cast import NOW
from tests.support.receiver import Receiver, listening
from xiezhi.foundation.notices.sending import ChannelMissing, NotSent, address_for, send
from xiezhi.foundation.notices.services import send_code

PHONE, SECRET = "13900000000", "s3cret-token"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as it:
        yield it


@pytest.mark.django_db
def test_a_code_reaches_the_phone_by_the_configured_gateway(receiver: Receiver, settings: Any) -> None:
    settings.NOTICE_CHANNELS = {"sms": receiver.address(query=":phone={to}")}
    send_code(phone=PHONE, text="【协治】验证码 314159，5 分钟内有效。", at=NOW)
    assert [(each["phone"], each["message"]) for each in receiver.received] == [
        (PHONE, "【协治】验证码 314159，5 分钟内有效。")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["", "json://127.0.0.1:9/group-without-a-place"])
def test_without_a_channel_that_reaches_a_person_it_says_so(address: str, settings: Any) -> None:
    settings.NOTICE_CHANNELS = {"sms": address}
    with pytest.raises(ChannelMissing, match="短信"):
        send_code(phone=PHONE, text="314159", at=NOW)


def test_what_is_not_taken_says_why_and_tells_nobody_the_address(receiver: Receiver, capfd: Any) -> None:
    log, root = io.StringIO(), logging.getLogger()  # caplog would listen to apprise itself, past its silence
    handler, level = logging.StreamHandler(log), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        _refuse_in_every_way(receiver)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    said = log.getvalue() + "".join(capfd.readouterr())
    assert SECRET not in said and "314159" not in said


def _refuse_in_every_way(receiver: Receiver) -> None:
    for status, final in ((403, True), (429, False), (500, False)):
        receiver.status = status
        with pytest.raises(NotSent, match=str(status)) as refused:
            send(receiver.address(path=SECRET), body="314159")
        assert refused.value.final is final
    with pytest.raises(NotSent, match="连不上") as refused:
        send(f"json://127.0.0.1:9/{SECRET}", body="314159")
    assert not refused.value.final
    for nonsense in (f"nonsense://{SECRET}", f"dingtalk://{SECRET}/@@", "", "://"):
        with pytest.raises(NotSent, match="地址") as refused:
            send(nonsense, body="314159")
        assert refused.value.final and SECRET not in str(refused.value)


def test_the_receiver_is_one_value_of_the_address_whatever_it_contains(receiver: Receiver) -> None:
    send(address_for(receiver.address(query=":phone={to}"), "1&:message=x/../?#"), body="text")
    assert receiver.received[0]["phone"] == "1&:message=x/../?#" and receiver.texts == ["text"]
