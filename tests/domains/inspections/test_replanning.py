"""Released checks are placed again; what was confirmed stays, what was offered stays where it can."""

from datetime import timedelta

import pytest

from tests.builders.cast import NOW, TODAY, Cast
from tests.builders.inspections import given_case, given_check, given_item, given_premises
from tests.builders.visits import VISIT_DAY, confirm, given_teams, given_visit, part_of
from xiezhi.domains.inspections.models import Check, Leftover, Replan, Round, Visit
from xiezhi.domains.inspections.services.confirmation import decline_part
from xiezhi.domains.inspections.services.replanning import in_words, place_now
from xiezhi.foundation.access.actors import SYSTEM

pytestmark = pytest.mark.django_db
WINDOW = {"earliest": VISIT_DAY, "latest": VISIT_DAY + timedelta(days=4)}
"""Monday to Friday of one week: days are few, so that tests can fill them."""


def _decline(cast: Cast, visit: Visit, code: str, why: str = "busy") -> Replan:
    return decline_part(
        participation=part_of(visit, code), decline_reason=why, actor=cast.actor(f"{code}.head"), at=NOW
    )


def test_a_declined_day_is_not_offered_again_to_that_department(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", **WINDOW)
    days = {VISIT_DAY}
    for _turn in range(4):
        _decline(cast, visit, "scjg")
        visit = Visit.objects.exclude(status="cancelled").get()
        assert visit.on not in days
        days.add(visit.on)
    row = _decline(cast, visit, "scjg")
    assert Check.objects.get().status == "waiting"
    assert row.moves[0]["left"] == "no_open_day" and "没有" in in_words(row)


def test_visits_of_other_doors_and_confirmed_ones_stay(cast: Cast) -> None:
    given_teams(cast)
    door = given_premises(cast)
    others = [
        given_visit(cast, "scjg", "xfjy", status="confirmed"),
        given_visit(cast, "scjg"),
        given_visit(cast, "xfjy", premises=door, status="confirmed", on=VISIT_DAY + timedelta(days=1)),
        given_visit(cast, "wsjk", premises=door, on=VISIT_DAY + timedelta(days=2)),
    ]
    before = {each.pk: (each.on, each.status, each.revision) for each in others}
    _decline(cast, given_visit(cast, "scjg", "xfjy", premises=door), "scjg")
    assert {each.pk: (each.on, each.status, each.revision) for each in Visit.objects.filter(pk__in=before)} == before


def test_no_day_is_promised_twice(cast: Cast) -> None:
    """Each department has 120 minutes a day: two visits of 40 minutes with travel. The third has to go elsewhere."""
    given_teams(cast, minutes=120)
    for day in range(4):
        for _place in range(2):
            given_visit(cast, "scjg", on=VISIT_DAY + timedelta(days=day), status="confirmed")
    visit = given_visit(cast, "scjg", on=VISIT_DAY + timedelta(days=4), **WINDOW)
    row = _decline(cast, visit, "scjg")
    assert row.moves[0]["left"] == "no_room"
    assert Check.objects.get(number=row.moves[0]["check"]).status == "waiting"


def test_what_finds_no_day_is_a_leftover_of_its_round(cast: Cast) -> None:
    door = given_premises(cast)
    check = given_check(cast, door, "scjg", **WINDOW)
    from xiezhi.domains.inspections.services.visits import create_visit, offer_visits

    round_ = Round.objects.create(
        number="R2026-000001",
        starts_on=TODAY,
        ends_on=TODAY + timedelta(days=60),
        max_departments=3,
        seed=1,
        created_at=NOW,
    )
    visit = create_visit(round_=round_, premises=door, on=VISIT_DAY, checks=[check], actor=SYSTEM, at=NOW)
    offer_visits(visits=[visit], actor=SYSTEM, at=NOW)
    _decline(cast, visit, "scjg")  # nobody has any team
    left = Leftover.objects.get(round=round_)
    assert (left.check_task, left.kind, left.reason) == (check, "unplaced", "no_open_day")


def test_an_offered_visit_gives_way_only_when_nothing_else_helps(cast: Cast) -> None:
    """One place a day. The released check can go only where the door's other offered visit stands; that one can go elsewhere."""
    given_teams(cast, "scjg", minutes=60, weekdays="12")
    given_teams(cast, "xfjy")
    door = given_premises(cast)
    tuesday, wide = VISIT_DAY + timedelta(days=1), {"earliest": VISIT_DAY, "latest": VISIT_DAY + timedelta(days=11)}
    flexible = given_visit(cast, "scjg", premises=door, on=tuesday, **wide)
    tight = given_visit(
        cast,
        checks=[given_check(cast, door, "scjg", earliest=VISIT_DAY, latest=tuesday), given_check(cast, door, "xfjy")],
    )
    confirm(cast, part_of(tight, "xfjy"))
    row = _decline(cast, tight, "scjg")
    flexible.refresh_from_db()
    tight.refresh_from_db()
    assert (tight.status, tight.on) == ("confirmed", VISIT_DAY)
    assert flexible.status == "cancelled" and "让出" in flexible.cancel_reason
    offered = {each.on: each.checks.get() for each in Visit.objects.filter(status="offered")}
    assert offered[tuesday].latest == tuesday and len(offered) == 2
    assert {move["from_visit"] for move in row.moves} == {tight.number, flexible.number}


def test_too_late_to_ask_anybody_is_said_so(cast: Cast) -> None:
    given_teams(cast)
    visit = given_visit(cast, "scjg", **WINDOW)
    eve = NOW.replace(month=12, day=10)  # Thursday; the window ends on Friday, and an answer takes a whole working day
    row = decline_part(
        participation=part_of(visit, "scjg"), decline_reason="busy", actor=cast.actor("scjg.head"), at=eve
    )
    assert row.moves[0]["left"] == "too_late"


def test_released_together_they_go_together(cast: Cast) -> None:
    given_teams(cast)
    from xiezhi.domains.inspections.services.visits import cancel_visit

    visit = given_visit(cast, "scjg", "xfjy", "wsjk")
    cancel_visit(visit=visit, reason="停业", actor=cast.actor("coordinator"), at=NOW)
    assert Visit.objects.exclude(pk=visit.pk).get().participations.count() == 3


# Urgent cases between rounds


def test_an_urgent_case_gets_a_visit_at_once_and_others_may_join(cast: Cast) -> None:
    given_teams(cast)
    door = given_premises(cast)
    waiting = given_check(cast, door, "scjg", earliest=TODAY, latest=TODAY + timedelta(days=15))
    later = given_check(cast, door, "wsjk", earliest=TODAY + timedelta(days=20), latest=TODAY + timedelta(days=30))
    case = given_case(cast, door, given_item(cast, "xfjy", safety=True), urgent=True)
    [visit] = place_now(premises=door, actor=cast.actor("xfjy.planner"), at=NOW)
    assert visit.status == "offered" and set(visit.checks.all()) == {case, waiting}
    assert TODAY < visit.on <= TODAY + timedelta(days=2)
    later.refresh_from_db()
    assert later.status == "waiting"
    assert place_now(premises=door, actor=SYSTEM, at=NOW) == []


def test_without_an_urgent_check_nothing_is_placed(cast: Cast) -> None:
    given_teams(cast)
    check = given_check(cast, given_premises(cast), "scjg")
    assert place_now(premises=check.premises, actor=SYSTEM, at=NOW) == []
