from datetime import timedelta

import pytest
from django.test import Client

from tests.builders.cast import NOW, PASSWORD, TODAY, Cast, make_cast
from xiezhi.foundation.access.actors import NOBODY, SYSTEM, PermissionRefused
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.access.services import actor_for, appoint, end_membership, found_district, open_account
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def test_a_role_is_held_only_where_it_belongs(cast: Cast) -> None:
    with pytest.raises(Refused):
        appoint(
            user=cast.people["scjg.head"], organisation=cast["scjg"], role="coordinator", starts_on=TODAY,
            actor=cast.actor("administrator"), at=NOW,
        )  # fmt: skip


def test_only_administrators_appoint(cast: Cast) -> None:
    for who in ("coordinator", "scjg.head"):
        with pytest.raises(PermissionRefused):
            open_account(username="new", display_name="新人", password=None, actor=cast.actor(who), at=NOW)


def test_nobody_ends_the_post_they_act_in(cast: Cast) -> None:
    admin = cast.actor("administrator")
    with pytest.raises(Refused):
        end_membership(membership=Membership.objects.get(pk=admin.membership_id), ends_on=TODAY, actor=admin, at=NOW)


def test_a_station_belongs_to_its_department_and_a_street_to_none(cast: Cast) -> None:
    assert cast.actor("scjg-1.inspector").department_id == cast["scjg"].pk
    assert cast["110199001"].department_id is None


def test_nobody_and_the_system_hold_no_permission() -> None:
    every = {permission for role in roles().values() for permission in role.permissions}
    assert not any(NOBODY.can(each) or SYSTEM.can(each) for each in every)


def test_no_role_can_do_everything() -> None:
    every = {permission for role in roles().values() for permission in role.permissions}
    assert all(role.permissions < every for role in roles().values())


def test_an_ended_post_opens_no_page(cast: Cast, client: Client) -> None:
    assert client.login(username="scjg.head", password=PASSWORD)
    assert client.get("/desk/").status_code == 200
    Membership.objects.filter(user=cast.people["scjg.head"]).update(ends_on=TODAY - timedelta(days=1))
    assert client.get("/desk/").status_code == 403


def test_a_district_is_founded_once() -> None:
    def found() -> Membership:
        return found_district(
            code="110199", name="演示区", administrator="admin", display_name="演示管理员", password=PASSWORD, at=NOW
        )

    post = found()
    assert actor_for(post).role == "administrator"
    assert Organisation.objects.get().name == "演示区"
    with pytest.raises(Refused):
        found()
