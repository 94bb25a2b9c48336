"""What the register's page of a subject shows of inspections, and what follows when a firm wants no joint visits."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW, PASSWORD, Cast
from tests.builders.inspections import given_check, given_premises
from tests.builders.visits import given_teams, given_visit
from xiezhi.domains.registry.services import set_joint_choice
from xiezhi.foundation.events.services import deliver_due
from xiezhi.foundation.notices.models import Notice


def test_visits_and_open_checks_are_listed_for_those_who_may_see_them(cast: Cast, client: Client) -> None:
    given_teams(cast)
    door = given_premises(cast)
    visit = given_visit(cast, "scjg", "xfjy", premises=door)
    given_check(cast, door, "scjg")
    address = reverse("registry:subject", args=[door.subject_id])
    client.login(username="scjg.head", password=PASSWORD)
    page = client.get(address).content.decode()
    assert visit.number in page and "2 项检查任务还没有办" in page
    client.login(username="wsjk.head", password=PASSWORD)
    page = client.get(address).content.decode()
    assert visit.number not in page


def test_a_firm_that_opts_out_is_named_to_the_coordinators_once(cast: Cast) -> None:
    given_teams(cast)
    door = given_premises(cast)
    visit = given_visit(cast, "scjg", "xfjy", premises=door)
    given_visit(cast, "scjg", premises=door, on=visit.on + timedelta(days=7))  # one department: not a joint visit
    Notice.objects.all().delete()
    set_joint_choice(subject=door.subject, opted_out=True, reason="企业自愿", actor=cast.actor("registrar"), at=NOW)
    deliver_due(at=NOW)
    notice = Notice.objects.get(recipient=cast.people["coordinator"])
    assert visit.number in notice.title and notice.link == reverse("inspections:visit", args=[visit.pk])
