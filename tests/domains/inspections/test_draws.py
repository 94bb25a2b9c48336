"""Draws: who can be drawn, and that anybody can repeat one from its record alone."""

import copy
from datetime import date, timedelta
from hashlib import sha256

import pytest

from tests.builders.cast import NOW, TODAY, make_cast
from tests.builders.inspections import given_check, given_item, given_plan, given_premises, sampling_row
from tests.builders.registry import a_scene
from xiezhi.domains.inspections.models import Check, Draw
from xiezhi.domains.inspections.services.draws import redraw
from xiezhi.domains.registry import services as registry
from xiezhi.domains.registry.facts import PremisesFacts
from xiezhi.foundation.rules.models import RuleVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def name_of(door) -> str:
    return f"{door.subject.code}/{door.number}"


def drawn_from(cast, rows, department: str = "scjg", **plan) -> list[Draw]:
    return list(Draw.objects.filter(row__plan=given_plan(cast, department, rows, **plan)).order_by("row__number"))


def test_a_number_is_drawn_as_pencil_and_hash_would(cast):
    doors = [given_premises(cast) for _ in range(12)]
    draw = drawn_from(cast, [sampling_row(given_item(cast, "scjg"), quantity=5)], seed="2026")[0]
    by_hand = sorted((sha256(f"2026/1:{name_of(door)}".encode()).hexdigest(), name_of(door)) for door in doors)
    assert draw.selected == [name for _ticket, name in by_hand[:5]]
    assert (draw.frame_size, draw.wanted, draw.seed) == (12, 5, "2026/1")
    checks = Check.objects.filter(plan_row=draw.row)
    assert {name_of(check.premises) for check in checks.select_related("premises__subject")} == set(draw.selected)
    assert {check.source for check in checks} == {"random"}


def test_the_record_alone_repeats_the_draw_and_betrays_any_change(cast):
    for _ in range(10):
        given_premises(cast)
    draw = drawn_from(cast, [sampling_row(given_item(cast, "scjg"), quantity=4)])[0]
    assert redraw(draw).ok
    assert redraw(draw).selected == draw.selected
    altered = copy.deepcopy(draw)
    altered.selected = [
        *altered.selected[:-1],
        next(name for name in altered.frame[""] if name not in altered.selected),
    ]
    assert not redraw(altered).ok
    smaller = copy.deepcopy(draw)
    smaller.frame[""] = smaller.frame[""][:-1]
    assert not redraw(smaller).ok


def test_random_seeds_differ_from_draw_to_draw(cast):
    for _ in range(3):
        given_premises(cast)
    item, other = given_item(cast, "scjg"), given_item(cast, "scjg")
    first, second = drawn_from(cast, [sampling_row(item), sampling_row(other)], seed=None)
    assert first.seed != second.seed
    assert len(first.seed) == 32


def test_without_share_or_number_each_credit_class_has_its_rate(cast):
    for rating, count in (("A", 5), ("C", 11), ("D", 10), ("", 1)):
        for _ in range(count):
            given_premises(cast, credit_class=rating)
    row = sampling_row(given_item(cast, "scjg"), quantity=None)
    draw = drawn_from(cast, [row])[0]
    drawn = {name: len(set(draw.selected) & set(members)) for name, members in draw.frame.items()}
    assert drawn == {"A": 1, "B": 1, "C": 2, "D": 3}  # 1, 2, 10 and 30 % rounded up; who has no class counts as B
    assert draw.terms["D"] == {"seed": f"{draw.seed}/D", "per_mille": "300"}
    assert redraw(draw).ok
    keys = set(RuleVersion.objects.filter(pk__in=draw.rule_version_ids).values_list("key", flat=True))
    assert {"inspections.sampling_rates", "inspections.draws_per_item", "inspections.unrated_sampled_as"} <= keys


def test_the_frame_is_what_scene_industry_and_street_describe(cast):
    hotels = a_scene(cast, "hotel", "酒店")
    wanted = given_premises(cast, street="110199002", industry="H6110", scenes=[hotels])
    given_premises(cast, street="110199001", industry="H6110", scenes=[hotels])
    given_premises(cast, street="110199002", industry="H6210", scenes=[hotels])
    given_premises(cast, street="110199002", industry="H6110")
    closed = given_premises(cast, street="110199002", industry="H6110", scenes=[hotels])
    registry.close_subject(
        subject=closed.subject, status="deregistered", reason="注销", actor=cast.actor("registrar"), at=NOW
    )
    row = sampling_row(
        given_item(cast, "scjg"), scene_id=hotels.pk, industry="H61", street_id=cast["110199002"].pk, quantity=10
    )
    draw = drawn_from(cast, [row])[0]
    assert draw.frame == {"": [name_of(wanted)]}
    assert (draw.selected, draw.wanted) == ([name_of(wanted)], 10)


def test_a_firm_with_several_doors_is_drawn_once(cast):
    door = given_premises(cast)
    for number in ("2", "3"):
        registry.register_premises(
            subject=door.subject,
            premises=PremisesFacts(address=f"银槐街{number}号", street=cast["110199002"], number=number),
            actor=cast.actor("registrar"),
            at=NOW,
        )
    draw = drawn_from(cast, [sampling_row(given_item(cast, "scjg"), quantity=3)])[0]
    assert (draw.frame_size, len(draw.selected)) == (3, 1)
    assert list(draw.excluded.values()) == ["another_door", "another_door"]
    assert redraw(draw).ok
    moved = copy.deepcopy(draw)
    moved.excluded = dict.fromkeys(draw.selected + list(draw.excluded)[:1], "another_door")
    assert not redraw(moved).ok


def test_the_same_item_draws_a_firm_once_a_year(cast):
    doors = [given_premises(cast) for _ in range(3)]
    item = given_item(cast, "scjg")
    first = drawn_from(cast, [sampling_row(item, quantity=2)])[0]
    later = {"earliest": TODAY + timedelta(days=50), "latest": TODAY + timedelta(days=60)}
    this_year = {"earliest": date(2026, 12, 30), "latest": date(2026, 12, 31)}
    second = drawn_from(cast, [sampling_row(item, quantity=3, **this_year)])[0]
    assert set(second.excluded) == set(first.selected)
    assert set(second.excluded.values()) == {"drawn_this_year"} or set(second.excluded.values()) == {"already_planned"}
    assert set(second.selected) == {name_of(door) for door in doors} - set(first.selected)
    other = drawn_from(cast, [sampling_row(given_item(cast, "scjg"), quantity=3)])[0]
    assert len(other.selected) == 3
    next_year = drawn_from(cast, [sampling_row(item, quantity=3, **later)])[0]
    assert len(next_year.selected) == 3


def test_rows_of_one_plan_do_not_draw_the_same_firm_for_the_same_item(cast):
    for _ in range(4):
        given_premises(cast)
    item = given_item(cast, "scjg")
    first, second = drawn_from(
        cast, [sampling_row(item, quantity=3), sampling_row(item, quantity=3, street_id=cast["110199001"].pk)]
    )
    assert len(first.selected) == 3
    assert len(second.selected) == 1
    assert not set(first.selected) & set(second.selected)


def test_frequency_one_leaves_out_who_was_checked_by_name(cast):
    named, other = given_premises(cast), given_premises(cast)
    item = given_item(cast, "scjg")
    given_check(cast, named, "scjg", item=item, earliest=TODAY + timedelta(days=1), latest=TODAY + timedelta(days=2))
    window = {"earliest": TODAY + timedelta(days=10), "latest": TODAY + timedelta(days=20)}
    once = drawn_from(cast, [sampling_row(item, quantity=2, frequency="=1", **window)])[0]
    assert once.excluded == {name_of(named): "checked_this_year"}
    assert once.selected == [name_of(other)]
    again = drawn_from(cast, [sampling_row(item, quantity=2, frequency=">=1", **window)])[0]
    assert again.selected == [name_of(named)]


def test_the_do_not_disturb_list_is_left_alone_but_for_safety_and_superiors(cast):
    quiet = a_scene(cast, "quiet", "无事不扰", undisturbed=True)
    listed = given_premises(cast, scenes=[quiet])
    plain = drawn_from(cast, [sampling_row(given_item(cast, "scjg"), quantity=1)])[0]
    assert plain.excluded == {name_of(listed): "undisturbed"}
    safe = drawn_from(cast, [sampling_row(given_item(cast, "scjg", safety=True), quantity=1)])[0]
    assert safe.selected == [name_of(listed)]
    ordered = drawn_from(
        cast,
        [sampling_row(given_item(cast, "scjg"), quantity=1, source="special")],
        kind="special",
        superior_ordered=True,
        approval_number="演示〔2026〕1号",
        approved_on=TODAY,
    )[0]
    assert ordered.selected == [name_of(listed)]


def test_an_empty_frame_draws_nobody_and_says_so(cast):
    draw = drawn_from(cast, [sampling_row(given_item(cast, "scjg"), industry="A01")])[0]
    assert (draw.frame_size, draw.selected, draw.wanted) == (0, [], 3)
    assert redraw(draw).ok
    assert not Check.objects.exists()
