"""From an inbox to phones and groups: who chose what, when it goes out, what happens when it does not arrive."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.builders.cast import NOW, Cast, make_cast
from tests.support.receiver import Receiver, listening
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.notices import services
from xiezhi.foundation.notices.apps import route_all
from xiezhi.foundation.notices.attention import undelivered
from xiezhi.foundation.notices.models import Channel, ChannelKind, Delivery, Notice, Wish
from xiezhi.foundation.notices.sending import ChannelMissing, NotSent
from xiezhi.foundation.notices.services import Told, deliver_due, notify, notify_many, routing
from xiezhi.foundation.notices.services.delivering import WAITS, forget_old
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db
PHONE, SECRET = "13900001234", "s3cret-token"
SMS, WECOM = ChannelKind.SMS, ChannelKind.WECOM
WHO = "scjg.head"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


@pytest.fixture
def receiver(gateway: Receiver, settings: Any) -> Receiver:
    """A gateway that reaches phones, and is the only channel."""
    gateway.received.clear()
    gateway.status = 200
    settings.NOTICE_CHANNELS = {"sms": gateway.address(path=SECRET, query=":phone={to}")}
    return gateway


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def wish(cast: Cast, who: str = WHO, **choices: Any) -> Wish:
    chosen = {"channel": SMS, "to": PHONE, "mode": "at_once", "least_level": "info", "left_out": [], **choices}
    return services.set_wish(**chosen, actor=cast.actor(who), at=NOW)


def tell(cast: Cast, title: str, *, at: datetime = NOW, level: str = "info", key: str = "inspections.told") -> None:
    notify([cast.people[WHO].pk], key=f"{key}:{title}", title=title, at=at, level=level)


def turn(at: datetime) -> None:
    """What the ticker does at `at`."""
    route_all(at)
    while deliver_due(at=at):
        pass


def at(hour: int, minute: int = 0, days: int = 0) -> datetime:
    return NOW.replace(hour=hour, minute=minute) + timedelta(days=days)


def test_only_what_was_chosen_leaves_the_house_and_only_its_title(cast: Cast, receiver: Receiver) -> None:
    wish(cast, least_level="reminder", left_out=["prepaid"])
    person = [cast.people[WHO].pk]
    notify(person, key="inspections.a:1", title="明日检查", body="联系人张三", level="reminder", at=NOW)
    notify(person, key="inspections.b:1", title="只是通知", at=NOW)
    notify(person, key="prepaid.a:1", title="别的业务", level="urgent", at=NOW)
    notify([cast.people["xfjy.head"].pk], key="inspections.a:1", title="别人的", level="urgent", at=NOW)
    turn(NOW)
    assert receiver.texts == ["【提醒】明日检查"] and receiver.received[0]["phone"] == PHONE
    sent = Delivery.objects.get()
    assert (sent.status, sent.count, sent.attempts) == ("sent", 1, 1)
    turn(at(9, 30))
    assert len(receiver.received) == 1 and not Notice.objects.filter(routed=False).exists()


def test_many_at_once_and_what_follows_within_a_minute_go_together(cast: Cast, receiver: Receiver) -> None:
    wish(cast)
    for number in range(13):
        tell(cast, f"第{number}件", level="urgent" if number == 12 else "info")
    turn(NOW)
    assert len(receiver.texts) == 1
    lines = receiver.texts[0].splitlines()
    assert (
        receiver.received[0]["title"] == "协治：13 条新消息"
        and lines[0] == "【催办】第12件"
        and lines[-1] == "另有 3 条，请登录查看。"
    )
    tell(cast, "紧接着甲")
    turn(NOW + timedelta(seconds=10))
    tell(cast, "紧接着乙")
    turn(NOW + timedelta(seconds=20))
    assert len(receiver.texts) == 1
    turn(NOW + timedelta(seconds=60))
    assert len(receiver.texts) == 2 and {"【通知】紧接着甲", "【通知】紧接着乙"} == set(receiver.texts[1].splitlines())


@pytest.mark.parametrize(
    ("mode", "told", "level", "due"),
    [
        ("at_once", at(9), "info", at(9)),
        ("hourly", at(9, 10), "info", at(10)),
        ("hourly", at(21, 30), "reminder", at(7, days=1)),  # the next full hour is in the quiet hours
        ("daily", at(8), "info", at(8, 30)),
        ("daily", at(9), "info", at(8, 30, days=1)),
        ("at_once", at(23), "reminder", at(7, days=1)),
        ("at_once", at(3), "info", at(7)),
        ("at_once", at(3), "urgent", at(3)),
        ("daily", at(9), "urgent", at(9)),
        ("at_once", at(7), "info", at(7)),
    ],
)
def test_when_a_notice_goes_out(mode: str, told: datetime, level: str, due: datetime) -> None:
    notice = Notice(key="inspections.x:1", level=level)
    assert routing.due_at(notice, Wish(mode=mode), None, at=told) == due


def test_whose_urgent_notices_break_the_silence_is_chosen(cast: Cast, receiver: Receiver) -> None:
    wish(cast)
    head = cast.actor(WHO)
    services.set_quiet_hours(on=True, starts_at=time(12), ends_at=time(14), passing=["prepaid"], actor=head, at=NOW)
    for key in ("prepaid.x", "inspections.x", "demo"):
        tell(cast, key, key=key, level="urgent", at=at(13))
    turn(at(13))
    assert receiver.texts == ["【催办】prepaid.x"]
    turn(at(14))
    assert len(receiver.texts) == 2 and "2 条新消息" in receiver.received[1]["title"]
    services.set_quiet_hours(on=False, starts_at=time(12), ends_at=time(12), passing=[], actor=head, at=NOW)
    tell(cast, "无免打扰", at=at(23))
    turn(at(23))
    assert len(receiver.texts) == 3
    with pytest.raises(Refused, match="起止"):
        services.set_quiet_hours(on=True, starts_at=time(12), ends_at=time(12), passing=[], actor=head, at=NOW)


def test_what_was_read_or_switched_off_meanwhile_is_not_sent(cast: Cast, receiver: Receiver, settings: Any) -> None:
    wish(cast, mode="hourly")
    tell(cast, "读过的")
    route_all(NOW)
    services.mark_read(notice_ids=None, actor=cast.actor(WHO), at=NOW)
    turn(at(10))
    tell(cast, "关掉的", at=at(10))
    route_all(at(10))
    services.remove_wish(channel=SMS, actor=cast.actor(WHO), at=at(10))
    turn(at(11))
    wish(cast, mode="hourly")
    tell(cast, "停用的", at=at(11))
    route_all(at(11))
    settings.NOTICE_CHANNELS = {}
    turn(at(12))
    assert receiver.received == []
    assert [(each.status, each.error) for each in Delivery.objects.order_by("pk")] == [
        ("dropped", "都已经在站内读过"),
        ("dropped", "接收人已经关闭这个通道"),
        ("dropped", "这个通道已经停用"),
    ]


def test_a_gateway_that_is_down_is_tried_again_patiently_and_then_by_hand(cast: Cast, receiver: Receiver) -> None:
    wish(cast)
    wish(cast, "xfjy.head", to="13900005678")
    receiver.status = 503
    notify([cast.people[WHO].pk, cast.people["xfjy.head"].pk], key="inspections.a:1", title="检查", at=NOW)
    route_all(NOW)
    assert deliver_due(at=NOW) == 1  # the second is spared: the first has shown that nobody answers
    moment = NOW
    while waiting := Delivery.objects.filter(status="pending"):
        moment = waiting.earliest("due_at").due_at
        assert time(7) <= timezone.localtime(moment).time() < time(22)  # nor is anybody woken by a second try
        turn(moment)
    failed = Delivery.objects.filter(status="failed")
    assert failed.count() == 2 and all("503" in each.error and each.attempts == len(WAITS) + 1 for each in failed)
    administrator = cast.actor("administrator")
    assert [each.count for each in undelivered(administrator, moment)] == [2]
    assert list(undelivered(cast.actor(WHO), moment)) == []
    receiver.status = 200
    everything = [each.pk for each in failed]
    with pytest.raises(PermissionRefused):
        services.resend(delivery_ids=everything, actor=cast.actor(WHO), at=moment)
    assert services.resend(delivery_ids=everything, actor=administrator, at=moment) == 2
    turn(moment)
    assert {each["phone"] for each in receiver.received} == {PHONE, "13900005678"}
    with pytest.raises(Refused, match="不用"):
        services.resend(delivery_ids=everything, actor=administrator, at=moment)
    receiver.status = 403  # wrong key: trying again would not help
    moment += timedelta(hours=1)
    tell(cast, "另一件", at=moment)
    turn(moment)
    assert Delivery.objects.filter(status="failed", attempts=1).count() == 1
    assert forget_old(at=moment + timedelta(days=89)) == 0
    assert forget_old(at=moment + timedelta(days=100)) == 3 and Notice.objects.count() == 3


def test_a_sender_that_was_killed_leaves_its_message_to_the_next(cast: Cast, receiver: Receiver) -> None:
    wish(cast)
    tell(cast, "检查")
    route_all(NOW)
    Delivery.objects.update(status="sending", attempts=1, lease_until=NOW + timedelta(minutes=2))
    assert deliver_due(at=NOW + timedelta(minutes=1)) == 0
    assert deliver_due(at=NOW + timedelta(minutes=3)) == 1
    assert len(receiver.received) == 1 and Delivery.objects.get().status == "sent"


def test_a_group_hears_once_what_many_people_are_told(cast: Cast, receiver: Receiver) -> None:
    services.set_channel(
        kind=WECOM, address=receiver.address(path="group"), least_level="reminder", left_out=["prepaid"],
        actor=cast.actor("administrator"), at=NOW,
    )  # fmt: skip
    everybody = [person.pk for person in cast.people.values()]
    notify(everybody, key="inspections.a:1", title="全区检查", level="urgent", at=NOW)
    notify(everybody, key="prepaid.a:1", title="别的业务", level="urgent", at=NOW)
    routing.route_notices(at=NOW, most=5)  # in several batches
    turn(NOW)
    turn(NOW + timedelta(minutes=5))
    assert receiver.texts == ["【催办】全区检查"]
    with pytest.raises(ChannelMissing, match="个人"):
        wish(cast, channel=WECOM, to="zhang")


def test_ten_thousand_notices_cost_a_batch_and_one_message_each(cast: Cast, receiver: Receiver) -> None:
    users = User.objects.bulk_create(
        User(username=f"many{number}", display_name="演示", password="!") for number in range(2_000)
    )
    wish(cast)
    mine = cast.people[WHO].pk
    with CaptureQueriesContext(
        connection,
    ) as inserted:
        notify([mine, *[each.pk for each in users]], key="inspections.flood:0", title="通知", at=NOW)
    assert len(inserted) <= 25  # one look, and inserts of about a hundred rows on SQLite
    Notice.objects.bulk_create(
        Notice(recipient_id=mine, key=f"inspections.flood:{number}", title=f"第 {number} 件", sent_at=NOW)
        for number in range(1, 10_000)
    )
    with CaptureQueriesContext(connection) as routed:
        route_all(NOW)
    assert not Notice.objects.filter(routed=False).exists()
    assert len(routed) <= 400  # 12,000 notices in six batches, lines in inserts of a few hundred
    turn(NOW)
    assert len(receiver.texts) == 1 and "10000 条新消息" in receiver.received[0]["title"]
    client = Client()
    client.force_login(cast.people[WHO])
    address = reverse("notices:inbox")
    client.get(address)
    with CaptureQueriesContext(connection) as shown:
        assert client.get(address).status_code == 200
    assert len(shown) <= 12


def test_several_things_become_one_notice_for_who_hears_of_several(cast: Cast) -> None:
    head, other = cast.people[WHO].pk, cast.people["xfjy.head"].pk
    things = [
        Told(frozenset({head, other} if number == 0 else {head}), f"demo.c:{number}", f"已确认：{number}", f"{number} 号", f"/{number}/")
        for number in range(12)
    ]  # fmt: skip

    def tell_all() -> int:
        return notify_many(things, key="demo.many", title=lambda n: f"{n} 项已确认", link="/all/", at=NOW)

    assert tell_all() == 2 and tell_all() == 0
    grouped = Notice.objects.get(recipient_id=head)
    assert (grouped.title, grouped.link) == ("12 项已确认", "/all/")
    assert grouped.body.splitlines() == [*[f"{number} 号" for number in range(10)], "……"]
    single = Notice.objects.get(recipient_id=other)
    assert (single.title, single.link, single.key) == ("已确认：0", "/0/", "demo.c:0")


def test_secrets_are_never_shown_again_and_bad_ones_are_refused(cast: Cast, receiver: Receiver, settings: Any) -> None:
    settings.NOTICE_CHANNELS = {}
    administrator = Client()
    administrator.force_login(cast.people["administrator"])
    page = reverse("notices:channel", args=["sms"])
    form = {"least_level": "urgent", "wanted": []}
    assert "请填写" in administrator.post(page, form).content.decode()
    assert "读不懂" in administrator.post(page, {**form, "address": "nonsense://x"}).content.decode()
    assert not Channel.objects.exists()
    address = receiver.address(path=SECRET, query=":phone={to}")
    assert administrator.post(page, {**form, "address": address}).status_code == 302
    assert administrator.post(page, form).status_code == 302  # empty keeps it
    assert administrator.post(page + "test/", {"to": PHONE}).status_code == 302
    person = Client()
    person.force_login(cast.people[WHO])
    mine = reverse("notices:wish", args=["sms"])
    choice = {"mode": "daily", "least_level": "info", "wanted": ["inspections", "other"]}
    assert "请检查" in person.post(mine, {**choice, "to": "张三"}).content.decode()
    assert person.post(mine, {**choice, "to": "139-0000 1234"}).status_code == 302
    assert person.post(mine, {**choice, "mode": "hourly"}).status_code == 302
    assert person.post(mine + "test/").status_code == 302
    assert [each["phone"] for each in receiver.received] == [PHONE, PHONE]
    assert "prepaid" in Wish.objects.get(mode="hourly").left_out
    pages = [
        client.get(reverse(f"notices:{name}", args=parts)).content.decode()
        for client, name, parts in [
            (administrator, "channels", []), (administrator, "channel", ["sms"]), (administrator, "log", []),
            (person, "settings", []), (person, "wish", ["sms"]), (person, "log", []),
        ]
    ]  # fmt: skip
    assert "139****1234" in pages[3]
    stored = [
        *Channel.objects.values_list("sealed_address", flat=True),
        *Wish.objects.values_list("sealed_address", flat=True),
    ]
    kept = " ".join([*pages, *stored, *[str(each.payload) for each in Entry.objects.all()]])
    assert SECRET not in kept and PHONE not in kept
    receiver.status = 500
    with pytest.raises(NotSent):
        services.send_test(kind=SMS, actor=cast.actor(WHO), at=NOW)
    with pytest.raises(PermissionRefused):
        services.send_test(kind=SMS, actor=cast.actor(WHO), at=NOW, to="13900009999")
    settings.SECRET_KEY = "another"  # without a fallback nothing can be read: it says so and asks again
    administrator.force_login(cast.people["administrator"])
    person.force_login(cast.people[WHO])
    assert "没有设置" in administrator.get(reverse("notices:channels")).content.decode()
    assert person.get(reverse("notices:settings")).status_code == 200
