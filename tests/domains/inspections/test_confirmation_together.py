"""Two departments answer at the same moment. Each in a thread with a connection of its own, through a barrier, on PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from tests.builders.cast import NOW, Cast, make_cast
from tests.builders.visits import VISIT_DAY, given_teams, given_visit, part_of
from xiezhi.domains.inspections.models import Check, Visit
from xiezhi.domains.inspections.services.confirmation import confirm_part, decline_part, propose_date
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def _at_once(*acts: Callable[[], object]) -> list[object]:
    """What each act returned or raised, all of them let go at the same time."""
    gate, outcomes = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            gate.wait(timeout=30)
            outcomes[place] = act()
        except Exception as error:
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


def _confirm(cast: Cast, visit: Visit, code: str) -> Callable[[], object]:
    part = part_of(visit, code)
    return lambda: confirm_part(participation=part, actor=cast.actor(f"{code}.head"), at=NOW)


def test_two_departments_confirm_at_once_and_the_visit_is_confirmed_once() -> None:
    cast = make_cast()
    for _turn in range(5):
        visit = given_visit(cast, "scjg", "xfjy")
        outcomes = _at_once(_confirm(cast, visit, "scjg"), _confirm(cast, visit, "xfjy"))
        assert not [each for each in outcomes if isinstance(each, Exception)]
        visit.refresh_from_db()
        assert visit.status == "confirmed"
        assert set(visit.checks.values_list("status", flat=True)) == {"scheduled"}
        assert Entry.objects.filter(action="inspections.visit.confirm", object_id=str(visit.pk)).count() == 1


def test_the_same_head_clicks_twice_and_it_counts_once() -> None:
    cast = make_cast()
    visit = given_visit(cast, "scjg", "xfjy")
    outcomes = _at_once(_confirm(cast, visit, "scjg"), _confirm(cast, visit, "scjg"))
    assert sorted(type(each).__name__ for each in outcomes) == ["AlreadyDone", "Participation"]
    assert isinstance(next(each for each in outcomes if isinstance(each, Exception)), AlreadyDone)


def test_one_confirms_while_the_other_declines() -> None:
    cast = make_cast()
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")
    part = part_of(visit, "xfjy")
    outcomes = _at_once(
        _confirm(cast, visit, "scjg"),
        lambda: decline_part(participation=part, decline_reason="busy", actor=cast.actor("xfjy.head"), at=NOW),
    )
    assert not [each for each in outcomes if isinstance(each, Exception)]
    visit.refresh_from_db()
    assert visit.status == "confirmed" and visit.checks.get().department == cast["scjg"]
    assert Check.objects.get(department=cast["xfjy"]).visit != visit


def test_two_departments_move_the_visit_at_once_and_one_is_asked_again() -> None:
    cast = make_cast()
    given_teams(cast)
    visit = given_visit(cast, "scjg", "xfjy")

    def move(code: str, days: int) -> Callable[[], object]:
        part = part_of(visit, code)
        return lambda: propose_date(
            participation=part,
            on=VISIT_DAY + timedelta(days=days),
            reason="培训",
            actor=cast.actor(f"{code}.head"),
            at=NOW,
            seen_revision=1,
        )

    outcomes = _at_once(move("scjg", 1), move("xfjy", 2))
    assert sorted(type(each).__name__ for each in outcomes) == ["Stale", "Visit"]
    visit.refresh_from_db()
    assert visit.revision == 2 and visit.status == "offered"


def test_two_declines_never_take_the_same_last_place() -> None:
    """One place is left in the whole window. Two departments' heads decline two visits of one pool at once: one check finds it."""
    cast = make_cast()
    given_teams(cast, "scjg", minutes=60, weekdays="12")
    window = {"earliest": VISIT_DAY, "latest": VISIT_DAY + timedelta(days=1)}
    given_visit(cast, "scjg", on=VISIT_DAY, status="confirmed", **window)
    visits = [given_visit(cast, "scjg", on=VISIT_DAY, **window) for _ in range(2)]
    parts = [part_of(visit, "scjg") for visit in visits]
    outcomes = _at_once(
        *(
            lambda part=part: decline_part(
                participation=part, decline_reason="busy", actor=cast.actor("scjg.head"), at=NOW
            )
            for part in parts
        )
    )
    assert not [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)]
    placed = Visit.objects.filter(status="offered", on=VISIT_DAY + timedelta(days=1))
    assert placed.count() == 1
    assert Check.objects.filter(status="waiting").count() == 1
