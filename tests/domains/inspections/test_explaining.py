"""怎样才能: what a left-out check or a pair lacks now, in words, and that the words are true: with the change, it comes about."""

from datetime import timedelta

from tests.builders.cast import NOW, TODAY, Cast
from tests.builders.inspections import given_check, given_item, given_premises
from tests.builders.visits import VISIT_DAY, given_teams, given_visit
from tests.domains.inspections.test_rounds import planned
from xiezhi.domains.inspections.models import Leftover
from xiezhi.domains.inspections.queries.explaining import way_for
from xiezhi.domains.inspections.services.checks import cancel_checks
from xiezhi.domains.inspections.services.rounds import discard_round
from xiezhi.foundation.orgs.services import end_team_pattern, set_team_pattern


def the_leftover(round_, kind: str) -> Leftover:
    return Leftover.objects.select_related("check_task", "other_check", "round").get(round=round_, kind=kind)


def test_missing_minutes_are_named_and_enough(cast: Cast) -> None:
    given_teams(cast, "scjg", minutes=70, weekdays="1")
    given_visit(cast, "scjg", on=VISIT_DAY)  # 40 minutes and 20 on the way of the day's 70
    check = given_check(cast, given_premises(cast), "scjg", earliest=VISIT_DAY, latest=VISIT_DAY)
    round_ = planned(cast)
    way = way_for(the_leftover(round_, "unplaced"), today=TODAY)
    assert way.proven and "50 分钟" in way.change and f"{VISIT_DAY:%m-%d}" in way.change

    discard_round(round_=round_, reason="加派力量", actor=cast.actor("coordinator"), at=NOW)
    pattern = cast["scjg"].team_patterns.get()
    end_team_pattern(pattern=pattern, ends_on=TODAY, actor=cast.actor("scjg.planner"), at=NOW)
    given_more(cast, minutes=120)
    planned(cast)
    check.refresh_from_db()
    assert check.status == "suggested"


def given_more(cast: Cast, *, minutes: int) -> None:
    set_team_pattern(
        department=cast["scjg"], weekdays="1", teams=1, minutes_per_team=minutes,
        starts_on=TODAY + timedelta(days=1), actor=cast.actor("scjg.planner"), at=NOW,
    )  # fmt: skip


def test_a_limit_on_departments_is_named_for_a_pair(cast: Cast) -> None:
    given_teams(cast)
    door = given_premises(cast)
    for department in ("scjg", "xfjy"):
        given_check(cast, door, department, given_item(cast, department))
    round_ = planned(cast, max_departments=1)
    assert round_.figures["visits"] == 2
    assert not Leftover.objects.filter(
        round=round_, kind="apart"
    ).exists()  # a visit of both would break the limit itself


def test_a_check_that_is_settled_needs_no_way(cast: Cast) -> None:
    given_teams(cast, "scjg")
    door = given_premises(cast)
    given_check(cast, door, "scjg")
    lonely = given_check(cast, door, "xfjy")
    round_ = planned(cast)
    assert "没有可用的力量" in way_for(the_leftover(round_, "unplaced"), today=TODAY).obstacle
    cancel_checks(checks=[lonely], reason="计划调整", actor=cast.actor("xfjy.planner"), at=NOW)
    assert "不再需要排期" in way_for(the_leftover(round_, "unplaced"), today=TODAY).obstacle
