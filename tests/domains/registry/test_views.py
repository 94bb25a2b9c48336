"""The register's screens: who may open what, what is shown, what is refused, and how many statements a page takes."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from tests.builders.cast import NOW
from tests.builders.registry import a_scene, a_subject, door_of, fictional_code
from xiezhi.domains.registry import panels, services
from xiezhi.domains.registry.models import PendingMatch, Scene, Subject


@pytest.fixture
def signed_in(client, cast):
    def enter(who="registrar"):
        client.force_login(cast.people[who])
        return client

    return enter


@pytest.fixture
def pending(cast):
    return services.queue_name(
        origin="inspections.plan_row",
        organisation=cast["scjg"],
        name="演示金榆酒店",
        street_text="金榆街道",
        row_number=4,
        at=NOW,
    )


def url(name, *args):
    return reverse(f"registry:{name}", args=args)


def test_the_list_finds_filters_and_takes_the_same_statements_however_long(cast, signed_in):
    hotel = a_scene(cast, "hotel", "酒店")
    for n in range(1, 31):
        a_subject(
            cast,
            n,
            street="110199001" if n % 2 else "110199002",
            industry="H6110" if n == 3 else "F5211",
            risk_class="high" if n == 4 else "",
            scenes=[hotel] if n < 3 else [],
            joint_opt_out=n == 6,
        )
    page = signed_in("scjg.inspector")
    page.get(url("subjects"))
    few = len(_statements(page, url("subjects") + "?q=第1餐饮"))
    assert len(_statements(page, url("subjects"))) == few
    counts = {
        "": 30,
        "q=银槐": 15,
        f"street={cast['110199001'].pk}": 15,
        f"scene={hotel.pk}": 2,
        "section=H": 1,
        "industry=f52": 29,
        "risk_class=high": 1,
        "joint_opt_out=1": 1,
        "joint_opt_out=0": 29,
        "status=revoked": 0,
        f"q={fictional_code(9)}": 1,
    }
    for query, count in counts.items():
        shown = page.get(f"{url('subjects')}?{query}").context["page"].table
        assert len(shown.rows) == count, query


def _statements(client, address):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return [each["sql"] for each in seen.captured_queries if '"registry_' in each["sql"]]


def test_pinned_statements_about_the_register(cast, signed_in, pending):
    subject = a_subject(cast, 1, "演示金榆酒店有限公司")
    page = signed_in()
    page.get(url("subjects"))
    pinned = {
        url("subjects"): 6,
        url("subject", subject.pk): 6,
        url("matches"): 3,
        url("match", pending.pk): 6,
        url("scenes"): 2,
    }
    assert {address: len(_statements(page, address)) for address in pinned} == pinned


def test_the_list_goes_out_as_a_sheet(cast, signed_in):
    scene = a_scene(cast, "hotel", "酒店")
    a_subject(cast, 1, "=演示公式有限公司", scenes=[scene], industry="H6110", credit_class="A", joint_opt_out=True)
    answer = signed_in().get(url("subjects") + "?export=xlsx")
    rows = list(load_workbook(BytesIO(b"".join(answer.streaming_content))).active.values)
    assert rows[0][:3] == ("统一社会信用代码", "名称", "主体类型")
    assert rows[1] == (
        fictional_code(1),
        "=演示公式有限公司",
        "企业",
        "H6110",
        "A",
        None,
        "酒店",
        "存续",
        "金榆街道",
        "是",
    )


def test_registering_through_the_form(cast, signed_in):
    page, street = signed_in(), cast["110199001"]
    data = {
        "code": fictional_code(1)[:17] + "x",
        "name": "演示新店",
        "kind": "company",
        "industry": "6210",
        "street": street.pk,
        "address": "金榆街9号",
        "number": "1",
        "longitude": "39.9",
        "latitude": "116.3",
        "closed_weekdays": ["6", "7"],
        "is_open": "on",
    }
    wrong = page.post(url("subject_new"), data)
    assert wrong.status_code == 422 and not Subject.objects.exists()
    assert "校验位" in wrong.content.decode() or "填反" in wrong.content.decode()
    data |= {"code": f" {fictional_code(1).lower()} ", "longitude": "116.3", "latitude": "39.9"}
    made = page.post(url("subject_new"), data)
    subject = Subject.objects.get()
    assert made.headers["Location"] == url("subject", subject.pk)
    assert (subject.code, subject.industry, door_of(subject).closed_weekdays) == (fictional_code(1), "H6210", "67")
    again = page.post(url("subject_new"), data)
    assert again.status_code == 422 and "已经在库里" in again.content.decode()


def test_editing_shows_a_bad_fact_at_its_field_and_a_stale_page_saves_nothing(cast, signed_in):
    subject, page = a_subject(cast, 1), signed_in()
    form = page.get(url("subject_edit", subject.pk)).context["form"]
    data = {"name": "演示改名有限公司", "kind": "company", "seen_at": form.initial["seen_at"]}
    bad = page.post(url("subject_edit", subject.pk), {**data, "industry": "X"})
    assert bad.status_code == 422 and "industry" in bad.context["form"].errors
    assert page.post(url("subject_edit", subject.pk), data).status_code == 302
    stale = page.post(url("subject_edit", subject.pk), {**data, "name": "演示又改有限公司"})
    assert stale.status_code == 422 and "他人修改" in stale.content.decode()
    assert Subject.objects.get().name == "演示改名有限公司"


def test_doors_through_the_forms(cast, signed_in):
    subject, page = a_subject(cast, 1), signed_in()
    form = page.get(url("premises_new", subject.pk)).context["form"]
    assert form.initial["number"] == "2"
    data = {"street": cast["110199002"].pk, "address": "银槐路2号", "number": "2", "is_open": "on"}
    assert page.post(url("premises_new", subject.pk), data).status_code == 302
    door = subject.premises.get(number="2")
    assert page.post(url("premises_new", subject.pk), data).status_code == 422
    shown = page.get(url("premises", door.pk)).context["form"].initial
    shut = {**data, "closed_weekdays": ["1"], "seen_at": shown["seen_at"]}
    shut.pop("is_open")
    assert page.post(url("premises", door.pk), shut).status_code == 302
    door.refresh_from_db()
    assert (door.is_open, door.closed_days) == (False, "周一")


def test_moves_and_choice_on_the_page(cast, signed_in):
    subject, page = a_subject(cast, 1), signed_in()
    here = url("subject", subject.pk)
    move = {"seen_status": "active", "reason": "演示注销"}
    assert page.post(url("subject_move", subject.pk, "deregister"), move).headers["Location"] == here
    assert page.post(url("subject_move", subject.pk, "deregister"), move, headers={"referer": here}).status_code == 303
    assert page.post(url("subject_move", subject.pk, "abolish"), move).status_code == 404
    page.post(url("joint_choice", subject.pk), {"opted_out": "1", "reason": "来函"})
    subject.refresh_from_db()
    assert (subject.status, subject.joint_opt_out) == ("deregistered", True)
    shown = page.get(here).content.decode()
    assert "不参加联合检查" in shown and "演示注销" in shown and "来函" in shown


def test_scenes_and_labels(cast, signed_in):
    page, subjects = signed_in(), [a_subject(cast, n) for n in (1, 2, 3)]
    assert page.post(url("scene_new"), {"name": "酒店", "code": "Hotel!"}).status_code == 422
    assert page.post(url("scene_new"), {"name": "酒店", "code": "hotel"}).status_code == 302
    scene = Scene.objects.get()
    keys = [subject.pk for subject in subjects[:2]]
    asked = page.post(url("label"), {"selected": keys})
    assert asked.status_code == 200 and list(asked.context["subjects"]) == subjects[:2]
    page.post(url("label"), {"selected": keys, "scene": scene.pk, "carried": "1"})
    assert set(scene.subjects.all()) == set(subjects[:2])
    assert page.post(url("label"), {}).headers["Location"] == url("subjects")
    refused = page.post(url("scene_remove", scene.pk), headers={"referer": url("scene", scene.pk)})
    assert refused.status_code == 303 and Scene.objects.exists()
    page.post(url("label"), {"selected": keys, "scene": scene.pk, "carried": "0"})
    page.post(url("scene", scene.pk), {"name": "宾馆", "code": "hotel", "undisturbed": "on"})
    assert Scene.objects.get().undisturbed
    assert page.post(url("scene_remove", scene.pk)).status_code == 302 and not Scene.objects.exists()


def test_deciding_a_name(cast, signed_in, pending):
    subject, page = a_subject(cast, 1, "演示金榆酒店有限公司"), signed_in("scjg.planner")
    other = a_subject(cast, 2, "无关商店")
    shown = page.get(url("match", pending.pk))
    assert [each.subject for each in shown.context["candidates"]] == [subject]
    assert shown.context["preset"] == door_of(subject).pk and "登记为新主体" not in shown.content.decode()
    searched = page.get(url("match", pending.pk) + "?q=无关")
    assert searched.context["found"] == [other]
    nothing = page.post(url("match_move", pending.pk, "confirm"), {"seen_status": "waiting"})
    assert nothing.headers["Location"] == url("match", pending.pk)
    no_reason = {"seen_status": "waiting", "reason": " "}
    page.post(url("match_move", pending.pk, "dismiss"), no_reason, headers={"referer": url("match", pending.pk)})
    assert PendingMatch.objects.get().status == "waiting"
    chosen = {"seen_status": "waiting", "premises": door_of(subject).pk}
    assert page.post(url("match_move", pending.pk, "confirm"), chosen).headers["Location"] == url("matches")
    again = page.post(url("match_move", pending.pk, "confirm"), chosen, headers={"referer": url("matches")})
    assert again.status_code == 303 and PendingMatch.objects.get().subject == subject
    assert page.post(url("match_move", pending.pk, "forget"), chosen).status_code == 404
    decided = page.get(url("match", pending.pk)).content.decode()
    assert "确认为" in decided and "是哪一家" not in decided


def test_the_next_name_follows_and_what_waits_comes_first(cast, signed_in, pending):
    second = services.queue_name(origin="x", organisation=cast["scjg"], name="演示乙店", at=NOW)
    page = signed_in("coordinator")
    dismissed = page.post(url("match_move", pending.pk, "dismiss"), {"seen_status": "waiting", "reason": "查无"})
    assert dismissed.headers["Location"] == url("match", second.pk)
    assert [row.record for row in page.get(url("matches")).context["page"].table.rows] == [second]
    assert len(page.get(url("matches") + "?status=").context["page"].table.rows) == 2
    page.post(url("match_move", pending.pk, "reopen"), {"seen_status": "dismissed"})
    assert PendingMatch.objects.filter(status="waiting").count() == 2


def test_registering_whom_a_row_meant_leads_back_to_it(cast, signed_in, pending):
    page = signed_in()
    address = f"{url('subject_new')}?match={pending.pk}"
    assert page.get(address).context["form"].initial["name"] == "演示金榆酒店"
    data = {
        "code": fictional_code(5),
        "name": "演示金榆酒店有限公司",
        "kind": "company",
        "street": cast["110199001"].pk,
        "address": "金榆街5号",
        "number": "1",
        "is_open": "on",
    }
    assert page.post(address, data).headers["Location"] == url("match", pending.pk)


PAGES = {
    "subjects": "registry.view",
    "subject": "registry.view",
    "subject_new": "registry.manage",
    "subject_edit": "registry.manage",
    "premises_new": "registry.manage",
    "premises": "registry.manage",
    "scenes": "registry.manage",
    "scene_new": "registry.manage",
    "scene": "registry.manage",
    "matches": "registry.match",
    "match": "registry.match",
}


@pytest.mark.parametrize("who", ["registrar", "coordinator", "scjg.planner", "scjg-1.inspector", "administrator", None])
def test_who_may_open_what(cast, client, pending, who):
    subject, scene = a_subject(cast, 1), a_scene(cast, "hotel", "酒店")
    keys = {
        "subject": [subject.pk],
        "subject_edit": [subject.pk],
        "premises_new": [subject.pk],
        "premises": [door_of(subject).pk],
        "scene": [scene.pk],
        "match": [pending.pk],
    }
    if who:
        client.force_login(cast.people[who])
    for name, permission in PAGES.items():
        expected = 302 if who is None else 200 if cast.actor(who).can(permission) else 403
        assert client.get(url(name, *keys.get(name, []))).status_code == expected, name


def test_another_departments_row_is_not_there(cast, signed_in, pending):
    page, subject = signed_in("xfjy.planner"), a_subject(cast, 1)
    assert page.get(url("match", pending.pk)).status_code == 404
    chosen = {"seen_status": "waiting", "premises": door_of(subject).pk}
    assert page.post(url("match_move", pending.pk, "confirm"), chosen).status_code == 404
    assert page.get(url("subject", 10**9)).status_code == 404


def test_other_rooms_show_their_panels_and_timeline_leads(cast, signed_in, monkeypatch):
    subject = a_subject(cast, 1)
    monkeypatch.setattr(panels, "_panels", {})
    monkeypatch.setattr(panels, "_leads", {})
    panels.register("b", lambda subject, actor: panels.Panel("乙", "registry/label.html"), order=2)
    panels.register("a", lambda subject, actor: panels.Panel("甲", "ui/parts/empty.html", {"n": 1}), order=1)
    panels.register("c", lambda subject, actor: None)
    made = panels.panels_for(subject, cast.actor("registrar"))
    assert [panel.title for panel in made] == ["甲", "乙"]
    monkeypatch.setattr(panels, "_panels", {"a": panels._panels["a"]})
    panels.register_lead("registry.pendingmatch", panels.Leads("registry:match", permission="registry.match"))
    services.add_to_timeline(
        subject=subject,
        kind="x.y",
        title="某事",
        at=NOW + timedelta(days=1),
        object_kind="registry.pendingmatch",
        object_id="7",
    )
    shown = signed_in().get(url("subject", subject.pk)).content.decode()
    assert "甲" in shown and url("match", 7) in shown
    assert url("match", 7) not in signed_in("scjg.inspector").get(url("subject", subject.pk)).content.decode()


def test_a_long_story_comes_in_pages(cast, signed_in):
    subject = a_subject(cast, 1)
    for n in range(30):
        services.add_to_timeline(subject=subject, kind="x.y", title=f"第{n}件", at=NOW + timedelta(days=n))
    first = signed_in().get(url("subject", subject.pk)).content.decode()
    assert "第29件" in first and "第5件" not in first and "?timeline=2" in first
    assert "第5件" in signed_in().get(url("subject", subject.pk) + "?timeline=2").content.decode()


def test_the_desk_tells_of_waiting_names(cast, signed_in, pending):
    assert url("matches") in signed_in("scjg.planner").get(reverse("desk:home")).content.decode()
    assert "有名称等您确认" not in signed_in("xfjy.planner").get(reverse("desk:home")).content.decode()
