"""交接, suspension, and the last administrator."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.builders.cast import FOUNDER, NOW, TODAY, Cast, make_cast
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.access.models import Handover, Membership
from xiezhi.foundation.access.services import actor_for, appoint, end_membership
from xiezhi.foundation.access.services.handover import Kind, Thing, _kinds, hand_over, hanging_on, register
from xiezhi.foundation.accounts import services as accounts
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.workflow.errors import Refused

LEAVER, COLLEAGUE = "scjg.planner", "scjg.head"


def second_administrator(cast: Cast, **period: Any) -> Membership:
    starts = {"starts_on": TODAY - timedelta(days=1), **period}
    return appoint(
        user=cast.people["registrar"], organisation=cast.district, role="administrator", actor=FOUNDER, at=NOW, **starts
    )


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(with_password=())


def leave(cast: Cast, **changes: Any) -> Handover:
    given = {
        "user": cast.people[LEAVER], "to": cast.people[COLLEAGUE].memberships.get(), "last_day": TODAY, "close": True,
        "reason": "调离", "actor": cast.actor("administrator"), "at": NOW,
    }  # fmt: skip
    return hand_over(**{**given, **changes})


def test_everything_goes_to_the_colleague_and_every_door_shuts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    person, colleague = cast.people[LEAVER], cast.people[COLLEAGUE]
    drafts = {person.pk: 2, colleague.pk: 0}

    def transfer(*, user: Any, to: Membership, actor: Any, at: Any) -> int:
        moved, drafts[user.pk] = drafts[user.pk], 0
        drafts[to.user_id] += moved
        return moved

    monkeypatch.setattr("xiezhi.foundation.access.services.handover._kinds", dict(_kinds))
    register(Kind("test.drafts", "草稿", lambda user, at: [Thing("草稿")] * drafts[user.pk], transfer))
    job = jobs.enqueue("imports.check", title="演示任务", actor=cast.actor(LEAVER), at=NOW)
    never = appoint(
        user=person, organisation=cast["scjg"], role="head", starts_on=TODAY + timedelta(days=9), actor=FOUNDER, at=NOW
    )
    client = Client()
    client.force_login(person)
    UserSession.objects.create(user=person, ip="127.0.0.1", session_key=client.session.session_key, user_agent="")
    assert {each.kind.key for each in hanging_on(person, at=NOW)} == {"test.drafts", "jobs"}

    with pytest.raises(Refused, match="请选接手人"):
        leave(cast, to=None)
    assert drafts[person.pk] == 2 and Handover.objects.count() == 0, "nothing half done"
    for wrong in ({"reason": ""}, {"user": cast.people["administrator"]}, {"to": person.memberships.first()}):
        with pytest.raises(Refused):
            leave(cast, **wrong)
    with pytest.raises(PermissionRefused):
        leave(cast, actor=cast.actor(COLLEAGUE))

    done = leave(cast)
    assert done.moved == {"test.drafts": 2, "jobs": 1} and drafts == {person.pk: 0, colleague.pk: 2}
    job.refresh_from_db()
    assert (job.owner_id, job.membership_id) == (colleague.pk, colleague.memberships.get().pk)
    assert job.status == Job.Status.QUEUED
    assert not Membership.objects.filter(pk=never.pk).exists() and person.memberships.get().ends_on == TODAY
    assert client.get("/desk/").status_code == 302 and not UserSession.objects.exists()
    person.refresh_from_db()
    assert not person.is_active
    assert Entry.objects.filter(action="access.handed_over").get().payload["moved"] == done.moved
    accounts.restore(user=person, reason="弄错了", actor=cast.actor("administrator"), at=NOW)
    with pytest.raises(Refused):
        accounts.restore(user=person, reason="再来", actor=cast.actor("administrator"), at=NOW)


def test_on_the_page(cast: Cast) -> None:
    client, person = Client(), cast.people[LEAVER]
    client.force_login(cast.people["administrator"])
    jobs.enqueue("imports.check", title="演示任务", actor=cast.actor(LEAVER), at=NOW)
    page = reverse("access:handover", args=[person.pk])
    text = client.get(page).content.decode()
    assert "演示任务" in text and f"演示 {COLLEAGUE}" in text and "演示 xfjy.head" not in text
    form = {"last_day": TODAY.isoformat(), "reason": "调离"}
    assert "请选接手人" in client.post(page, form).content.decode()
    done = client.post(page, {**form, "to": cast.people[COLLEAGUE].memberships.get().pk}, follow=True)
    assert "移交了 1 项" in done.content.decode() and "已结束" not in client.get("/desk/").content.decode()


def test_the_last_administrator_stays(cast: Cast) -> None:
    first = Membership.objects.get(pk=cast.actor("administrator").membership_id)
    for period in ({"ends_on": TODAY + timedelta(days=30)}, {"starts_on": TODAY + timedelta(days=30)}):
        temporary = second_administrator(cast, **period)
        with pytest.raises(Refused, match="没有系统管理员"):
            end_membership(membership=first, ends_on=TODAY, actor=actor_for(temporary), at=NOW)
        with pytest.raises(Refused, match="没有系统管理员"):
            accounts.suspend(user=first.user, reason="演示", actor=actor_for(temporary), at=NOW)
        with pytest.raises(Refused, match="没有系统管理员"):
            leave(cast, user=first.user, to=None, actor=actor_for(temporary))
    with pytest.raises(Refused, match="自己"):
        end_membership(membership=first, ends_on=TODAY, actor=actor_for(first), at=NOW)
    other = appoint(
        user=cast.people["coordinator"], organisation=cast.district, role="administrator", starts_on=TODAY, actor=FOUNDER, at=NOW
    )  # fmt: skip
    end_membership(membership=first, ends_on=TODAY, actor=actor_for(other), at=NOW)
    assert Membership.objects.get(pk=first.pk).ends_on == TODAY


@pytest.mark.django_db(transaction=True)
def test_two_who_end_each_others_post_at_once(transactional_db: None) -> None:
    cast = make_cast(with_password=())
    first = Membership.objects.get(pk=cast.actor("administrator").membership_id)
    second = second_administrator(cast)
    ready, said = threading.Barrier(2), []

    def end(theirs: Membership, mine: Membership) -> None:
        try:
            ready.wait()
            end_membership(membership=theirs, ends_on=TODAY, actor=actor_for(mine), at=NOW)
            said.append("ended")
        except Refused as refusal:
            said.append(str(refusal))
        finally:
            connection.close()

    people = [threading.Thread(target=end, args=pair) for pair in ((second, first), (first, second))]
    for each in people:
        each.start()
    for each in people:
        each.join(30)
    assert said.count("ended") == 1 and sum("没有系统管理员" in each for each in said) == 1, said
    assert Membership.objects.filter(role="administrator", ends_on=None).count() == 1
