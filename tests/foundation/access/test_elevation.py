"""临时授权: asked for, approved by somebody else, over on the minute."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from tests.builders.cast import FOUNDER, NOW, TODAY, Cast, make_cast
from xiezhi.domains.inspections.permissions import InspectionPermission as Inspect
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.access.models import Elevation, Membership
from xiezhi.foundation.access.services import actor_for, appoint
from xiezhi.foundation.access.services.elevations import (
    MOST_MINUTES,
    lapse_elevations,
    move_elevation,
    request_elevation,
    takeable_roles,
)
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db
SUBMIT = Inspect.SUBMIT_PLAN.value
INSPECTOR = "scjg.inspector"


@pytest.fixture
def cast() -> Cast:
    return make_cast(with_password=())


def actor_at(cast: Cast, name: str, at: object) -> object:
    return actor_for(Membership.objects.with_elevation(at).get(user=cast.people[name]))  # type: ignore[arg-type]


def test_asked_approved_used_and_over(cast: Cast) -> None:
    inspector, admin = cast.actor(INSPECTOR), cast.actor("administrator")
    asked = request_elevation(role="planner", minutes=30, reason="计划员请假，今天要报送", actor=inspector, at=NOW)
    assert asked.status == "requested" and not actor_at(cast, INSPECTOR, NOW).can(SUBMIT)  # type: ignore[attr-defined]
    assert Notice.objects.filter(recipient=cast.people["administrator"], title__contains="申请临时授权").count() == 1
    for who, move in ((INSPECTOR, "grant"), ("coordinator", "grant"), (INSPECTOR, "take"), ("administrator", "lapse")):
        with pytest.raises((PermissionRefused, Refused)):
            move_elevation(elevation=asked, move=move, actor=cast.actor(who), at=NOW)
    granted = move_elevation(elevation=asked, move="grant", actor=admin, at=NOW)
    assert granted.until == NOW + timedelta(minutes=30)
    entries = Entry.objects.filter(object_kind="access.elevation").values_list("action", "actor_user_id", "payload")
    assert [(action, user) for action, user, _payload in entries] == [
        ("access.elevation.requested", inspector.user_id),
        ("access.elevation.grant", admin.user_id),
    ]
    assert "请假" not in str(list(entries))

    client = Client()
    client.force_login(cast.people[INSPECTOR])
    with time_machine.travel(NOW + timedelta(minutes=29), tick=False):
        page = client.get("/desk/")
        assert "临时授权生效中" in page.content.decode() and "自动结束" in page.content.decode()
        actor = page.wsgi_request.actor
        assert actor.can(SUBMIT) and actor.role == "inspector" and not actor.district_wide
        assert actor.membership_id == inspector.membership_id, "what is done stays in the same person's name"
    with time_machine.travel(NOW + timedelta(minutes=30), tick=False):  # nobody has written anything down yet
        page = client.get("/desk/")
        assert "临时授权生效中" not in page.content.decode() and not page.wsgi_request.actor.can(SUBMIT)
    assert lapse_elevations(at=NOW + timedelta(minutes=29)) == 0
    assert lapse_elevations(at=NOW + timedelta(minutes=30)) == 1 and Elevation.objects.get().status == "lapsed"


def test_what_is_refused(cast: Cast) -> None:
    inspector = cast.actor(INSPECTOR)
    ask = {"role": "planner", "minutes": 30, "reason": "演示", "actor": inspector, "at": NOW}
    for wrong in (
        {"role": "administrator"},
        {"role": "nonsense"},
        {"minutes": 0},
        {"minutes": MOST_MINUTES + 1},
        {"reason": " "},
    ):
        with pytest.raises(Refused):
            request_elevation(**{**ask, **wrong})  # type: ignore[arg-type]
    request_elevation(**ask)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="已有一项"):
        request_elevation(**ask)  # type: ignore[arg-type]
    own = request_elevation(role="administrator", minutes=30, reason="演示", actor=cast.actor("coordinator"), at=NOW)
    move_elevation(elevation=own, move="withdraw", actor=cast.actor("coordinator"), at=NOW)
    admin = cast.actor("administrator")
    mine = request_elevation(role="coordinator", minutes=30, reason="演示", actor=admin, at=NOW)
    with pytest.raises(Refused, match="另一位管理员"):
        move_elevation(elevation=mine, move="grant", actor=admin, at=NOW)
    with pytest.raises(Refused, match="理由"):
        theirs = request_elevation(role="planner", minutes=30, reason="演示", actor=cast.actor("xfjy.head"), at=NOW)
        move_elevation(elevation=theirs, move="revoke", actor=admin, at=NOW)
    taken = takeable_roles(Membership.objects.get(pk=inspector.membership_id))
    assert "planner" in taken and "fund_supervisor" not in taken, "nobody sees the whole district for a while"


def test_with_a_reason_alone_where_the_role_says_so_and_given_back(cast: Cast) -> None:
    head = cast.actor("scjg.head")
    taken = request_elevation(role="planner", minutes=60, reason="计划员出差", actor=head, at=NOW)
    assert taken.status == "granted" and actor_at(cast, "scjg.head", NOW).can(SUBMIT)  # type: ignore[attr-defined]
    assert Notice.objects.filter(recipient=cast.people["administrator"], title__contains="凭理由启用").exists()
    revoked = move_elevation(elevation=taken, move="revoke", actor=cast.actor("administrator"), at=NOW, reason="不需要")
    assert revoked.status == "ended" and not actor_at(cast, "scjg.head", NOW).can(SUBMIT)  # type: ignore[attr-defined]
    again = request_elevation(role="planner", minutes=60, reason="还是要", actor=head, at=NOW)
    move_elevation(elevation=again, move="give_back", actor=head, at=NOW)
    assert set(Elevation.objects.values_list("status", flat=True)) == {"ended"}


def test_on_its_pages(cast: Cast) -> None:
    person, admin = Client(), Client()
    person.force_login(cast.people[INSPECTOR])
    admin.force_login(cast.people["administrator"])
    page = reverse("access:elevation")
    assert "要他人批准" in person.get(page).content.decode()
    said = person.post(page, {"role": "planner", "minutes": 60, "reason": "替班"}, follow=True).content.decode()
    assert "已申请" in said and "撤回申请" in said
    row = Elevation.objects.get()
    assert "临时授权申请待批准" in admin.get("/desk/").content.decode()
    assert "替班" in admin.get(reverse("access:elevations")).content.decode()
    assert "批准" in admin.get(reverse("access:elevation_detail", args=[row.pk])).content.decode()
    assert admin.post(reverse("access:elevation_move", args=[row.pk, "grant"])).status_code == 302
    assert "提前交回" in person.get(page).content.decode()
    stranger = Client()
    stranger.force_login(cast.people["xfjy.head"])
    assert stranger.post(reverse("access:elevation_move", args=[row.pk, "revoke"]), {"reason": "x"}).status_code == 404


def test_it_needs_the_role_s_second_factor_too(cast: Cast, settings: object) -> None:
    coordinator, admin2 = cast.actor("coordinator"), cast.actor("administrator")
    asked = request_elevation(role="administrator", minutes=60, reason="演示", actor=coordinator, at=NOW)
    move_elevation(elevation=asked, move="grant", actor=admin2, at=NOW)
    settings.SECOND_FACTOR = "administrators"  # type: ignore[attr-defined]
    client = Client()
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        client.force_login(cast.people["coordinator"])
        assert client.get("/desk/")["Location"] == reverse("mfa_index")


def test_a_post_begins_and_ends_by_the_clock(cast: Cast) -> None:
    person = cast.people["scjg.head"]
    later = appoint(
        user=person, organisation=cast["xfjy"], role="head", starts_on=TODAY + timedelta(days=2),
        ends_on=TODAY + timedelta(days=3), actor=FOUNDER, at=NOW,
    )  # fmt: skip
    client = Client()
    for day, holds in ((0, False), (1, False), (2, True), (3, True), (4, False)):
        with time_machine.travel(NOW + timedelta(days=day), tick=False):
            client.force_login(person)
            posts = client.get("/desk/").wsgi_request.memberships
            assert (later in posts) == holds, day
