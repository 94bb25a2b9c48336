"""成效: every number is recounted here from the cases themselves, sharing no code, and is the length of the list that it leads to."""

import csv
import html
import re
from datetime import date, timedelta
from io import StringIO
from statistics import median as middle
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from xiezhi.domains.complaints.models import Application, Callback, Case, Clock, Tally
from xiezhi.domains.complaints.queries import figures
from xiezhi.domains.complaints.queries.figures import Period, Scope, board, period_of
from xiezhi.domains.complaints.services import applications, callbacks, linking, supervising, tallies
from xiezhi.domains.complaints.words import CaseStatus, Kind

LATER = NOW + timedelta(days=9)
MONTH = period_of("month", NOW.date())


@pytest.fixture
def told(desk: Desk) -> Desk:
    """A dozen cases: answered in time and late, called back with every outcome, left out, put aside, merged, a mall's, another unit's."""
    said = [
        ("resolved", "satisfied"), ("resolved", "fair"), ("partly", "dissatisfied"), ("unresolved", "dissatisfied"),
        ("no_answer", ""), ("declined", ""), ("resolved", ""),
    ]  # fmt: skip
    streets = [desk.cast["110199001"], desk.cast["110199002"], None]
    categories = ["food_safety", "lift", "", "prepaid"]
    for number, (outcome, satisfaction) in enumerate(said):
        late = NOW - timedelta(days=40) if number == 1 else NOW - timedelta(days=12) if number == 3 else NOW
        case = desk.case(
            CaseStatus.REPLIED, at=late + timedelta(minutes=number), received_at=late, tier="2h" if number % 2 else "7d",
            category=categories[number % 4], street=streets[number % 3], mall=desk.mall if number in (2, 5) else None,
        )  # fmt: skip
        callbacks.record_callback(
            case=case, outcome=outcome, satisfaction=satisfaction, called_at=LATER, actor=desk.dispatcher, at=LATER
        )
        if number in (1, 3, 5):
            purpose = "defer" if number == 5 else "exclude"
            asked = applications.apply_for(
                case=case, purpose=purpose, reason="演示", actor=desk.officer, at=LATER,
                review_on=date(2026, 12, 31) if number == 5 else None,
            )  # fmt: skip
            if number != 1:
                applications.decide_application(
                    application=asked, granted=True, note="", actor=desk.dispatcher, at=LATER
                )
    first = Case.objects.order_by("pk").first()
    assert first
    callbacks.record_official(
        case=first, outcome="unresolved", called_at=NOW + timedelta(days=2), reference="演示文件第 2 行",
        actor=desk.dispatcher, at=LATER,
    )  # fmt: skip
    desk.case(CaseStatus.LEAD)
    merged = desk.case(CaseStatus.HANDLING)
    linking.merge_case(case=merged, into=first, supplements=False, actor=desk.dispatcher, at=NOW)
    desk.case(CaseStatus.HANDLING, tier="2h")
    desk.case(CaseStatus.MEDIATING, kind=Kind.COMPLAINT)
    desk.case(CaseStatus.HANDLING, kind=Kind.REPORT, mall=desk.mall)
    desk.unit, desk.officer = desk.cast["xfjy"], desk.helper
    desk.case(CaseStatus.HANDLING)
    desk.case(CaseStatus.REGISTERED)
    supervising.climb_ladders(at=LATER)
    tallies.recount_marked(at=LATER)
    return desk


def recounted(cases: list[Case]) -> dict[str, Any]:
    """The same numbers, from the cases' own rows and in plain Python."""
    found: dict[str, Any] = dict.fromkeys(
        ("received", "open", "due", "in_time", "answered", "solved", "rated", "pleased", "excluded", "deferred"), 0
    )
    kept = dict.fromkeys(("due_kept", "in_time_kept", "answered_kept", "solved_kept", "rated_kept", "pleased_kept"), 0)
    hours = []
    for case in cases:
        found["received"] += 1
        found["open"] += case.replied_at is None
        clock = Clock.objects.filter(case=case, kind="tier", dropped_at=None).first()
        in_time = bool(clock and clock.met_at and clock.due_at and clock.met_at <= clock.due_at)
        late = bool(clock and clock.due_at and (clock.met_at or LATER) > clock.due_at)
        rows = [
            each for each in Callback.objects.filter(case=case) if not Callback.objects.filter(corrects=each).exists()
        ]
        answers = [each for each in rows if each.outcome in ("resolved", "partly", "unresolved")]
        official = [each for each in answers if each.source == "official"]
        last = max(official or answers, key=lambda each: each.at, default=None)
        out = Application.objects.filter(case=case, purpose="exclude", granted=True).exists()
        aside = Application.objects.filter(case=case, purpose="defer", granted=True, review_on__gt=MONTH.last).exists()
        said = {
            "due": in_time or late, "in_time": in_time, "answered": last is not None,
            "solved": last is not None and last.outcome == "resolved", "rated": last is not None and last.satisfaction != "",
            "pleased": last is not None and last.satisfaction in ("satisfied", "fair"),
        }  # fmt: skip
        for name, yes in said.items():
            found[name] += yes
            kept[f"{name}_kept"] += yes and not out and not aside
        found["excluded"] += out
        found["deferred"] += aside
        if case.replied_at:
            hours.append(-((case.received_at - case.replied_at) // timedelta(hours=1)))
    return {**found, **kept, "median": middle(hours) if hours else None}


def in_month(**narrowed: Any) -> list[Case]:
    cases = Case.objects.exclude(status__in=["lead", "merged", "dismissed"]).filter(**narrowed)
    return [case for case in cases if timezone.localdate(case.received_at).strftime("%Y-%m") == "2026-11"]


def numbers(line: figures.Line, like: dict[str, Any]) -> dict[str, Any]:
    return {**{name: line.counts.get(name, 0) for name in like if name != "median"}, "median": line.median_hours}


def test_every_number_is_what_the_cases_say(told: Desk) -> None:
    everything = recounted(in_month())
    assert (
        everything["solved"]
        and everything["answered_kept"] < everything["answered"]
        and everything["due"] > everything["in_time"]
    )
    for by, dimension in figures.DIMENSIONS.items():
        found = board(told.dispatcher, Scope(), MONTH, by)
        assert numbers(found.total, everything) == everything
        assert len({line.value for line in found.lines}) == len(found.lines)
        for line in found.lines:
            value = None if line.value == "none" else line.value
            truth = recounted(in_month(**{dimension.column: value}))
            assert numbers(line, truth) == truth, (by, line.label)
            asked = figures.behind(told.dispatcher, Scope({by: line.value}), MONTH, "answered_kept")
            assert asked.count() == truth["answered_kept"]
    before = board(told.dispatcher, Scope(), MONTH, "unit").before
    assert before.counts["received"] == 1 and before.share("response").value == 0
    score = found.total.score
    assert score is not None and abs(score - sum(
        weight * everything[f"{top}_kept"] / everything[f"{bottom}_kept"]
        for weight, top, bottom in ((30, "in_time", "due"), (35, "solved", "answered"), (35, "pleased", "rated"))
    )) < 1e-9  # fmt: skip


def test_whoever_asks_sees_their_own(told: Desk) -> None:
    ours, theirs = told.cast.actor("officer"), told.cast.actor("helper")
    assert board(ours, Scope(), MONTH, "unit").total.counts["received"] == len(in_month(unit=told.cast["scjg-1"]))
    assert board(theirs, Scope(), MONTH, "unit").total.counts["received"] == 1
    assert board(told.cast.actor("scjg.head"), Scope(), MONTH, "unit").total.counts["received"] == len(
        in_month(unit=told.cast["scjg-1"])
    )
    mall = board(told.mall_manager, Scope(), MONTH, "category").total
    assert mall.counts["received"] == 2 == len(in_month(mall=told.mall)) - 1, "a report is not in it"
    assert not Tally.objects.visible_to(told.cast.actor("registrar")).exists()
    for nonsense in ({"unit": "9" * 30}, {"mall": "abc"}, {"channel": "x'"}):
        assert board(told.dispatcher, Scope(nonsense), MONTH, "unit").total.counts["received"] == 0


def test_every_number_leads_to_its_cases(told: Desk, client: Client) -> None:
    with time_machine.travel(LATER, tick=False):
        client.force_login(told.cast.people["dispatcher"])
        page = client.get(reverse("complaints:figures"), {"period": "month", "day": "2026-11-23"})
        assert page.status_code == 200 and "工作口径" in page.text
        links = re.findall(r'<a href="([^"]*figures/cases/[^"]*)">(\d+)</a>', page.text)
        assert len(links) > 30
        for link, number in links:
            listed = client.get(html.unescape(link))
            assert len(listed.context["page"].table.data) == int(number), link
        empty = client.get(reverse("complaints:figures"), {"period": "month", "day": "2024-02-10"})
        assert "—" in empty.text and "这段时间里没有收到诉求" in empty.text
        for wrong in (
            {"period": "custom"},
            {"period": "custom", "from_day": "2026-11-02", "to_day": "2026-11-01"},
            {"period": "year"},
        ):
            assert client.get(reverse("complaints:figures"), wrong).status_code == 422
        assert client.get(reverse("complaints:figure_cases"), {"measure": "x"}).status_code == 404
        sheet = client.get(reverse("complaints:figures"), {"by": "category", "day": "2026-11-23", "export": "csv"})
        lines = list(csv.reader(StringIO(b"".join(sheet.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
        assert lines[0][0] == "问题类别" and lines[-1][:2] == ["合计", str(len(in_month()))]
        with time_machine.travel(NOW + timedelta(days=5), tick=False):
            assert "本月解决率" in client.get(reverse("desk:home")).text
        client.force_login(told.cast.people["officer"])
        for measure, status in (("solved", 200), ("pleased", 403)):
            assert client.get(reverse("complaints:figure_cases"), {"measure": measure}).status_code == status
        client.force_login(told.cast.people["mall"])
        own = client.get(reverse("complaints:mall_figures"))
        assert own.status_code == 200 and "figures/cases" not in own.text


def test_the_board_asks_few_questions(told: Desk) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        board(told.dispatcher, Scope(), MONTH, "unit")
    assert len(asked) <= 5


def test_periods() -> None:
    assert str(period_of("quarter", date(2026, 2, 17))) == "2026 年第 1 季度"
    spring = period_of("week", date(2026, 2, 17))
    assert (spring.first, spring.last) == (date(2026, 2, 16), date(2026, 2, 22))
    assert period_of("month", date(2026, 1, 31)).before() == Period("month", date(2025, 12, 1), date(2025, 12, 31))
    custom = Period("custom", date(2026, 3, 1), date(2026, 3, 10)).before()
    assert (custom.first, custom.last) == (date(2026, 2, 19), date(2026, 2, 28))
    assert figures.median({}) is None and figures.median({3: 2}) == 3 and figures.median({1: 1, 4: 1}) == 2.5
    values = [5, 1, 1, 9, 7, 7, 2]
    for end in range(1, 8):
        some = values[:end]
        assert figures.median({each: some.count(each) for each in some}) == middle(some)


def test_the_calling_screen(desk: Desk, client: Client) -> None:
    """One call after another by form: number opened, result written down, the next one opens itself, 未解决 asks what comes next."""
    first, second = desk.case(CaseStatus.REPLIED, tier="2h"), desk.case(CaseStatus.REPLIED)
    with time_machine.travel(LATER, tick=False):
        client.force_login(desk.cast.people["dispatcher"])
        tallies.recount_marked(at=LATER)
        assert "诉求等您回访" in client.get(reverse("desk:home")).text
        assert first.number in client.get(reverse("complaints:callbacks")).text
        page = client.get(reverse("complaints:callback_next"), follow=True)
        assert page.context["case"] == first and "1990000" not in page.text
        shown = client.post(reverse("complaints:callback_number", args=[first.pk]))
        assert "1990000" in shown.text and "no-store" in shown["Cache-Control"]
        here = reverse("complaints:callback", args=[first.pk])
        assert client.post(here, {"outcome": ""}).status_code == 422
        sent = {"outcome": "resolved", "satisfaction": "satisfied", "called_at": "2026-12-02T08:59"}
        page = client.post(here, sent, follow=True)
        assert page.context["case"] == second
        there = reverse("complaints:callback", args=[second.pk])
        page = client.post(there, {**sent, "outcome": "unresolved", "satisfaction": "", "note": "没退"}, follow=True)
        assert "怎样处理" in page.text and page.context["form"].initial["reason"] == "没退"
        assert second.number in client.get(reverse("complaints:callbacks"), {"what": "unresolved"}).text
        page = client.post(
            reverse("complaints:callback_follow", args=[second.pk]), {"way": "reopen", "reason": "没退"}, follow=True
        )
        assert "没有要回访的诉求了" in page.text and second.reopenings.count() == 1
        told = {"outcome": "resolved", "called_at": "2026-12-01T10:00", "reference": "演示通报第 3 号"}
        address = reverse("complaints:act", args=[first.pk, "official"])
        assert client.post(address, {**told, "reference": ""}).status_code == 422
        assert "演示通报第 3 号" in client.post(address, told, follow=True).text
        client.force_login(desk.cast.people["officer"])
        case = client.get(reverse("complaints:case", args=[first.pk]))
        assert "以这次为准" in case.text and case.context["satisfaction_hidden"] is False
