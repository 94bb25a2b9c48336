"""Each component draws what it should, and escapes what people typed."""

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.db import models
from django.template import Context, Template

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.ui import statuses
from xiezhi.foundation.workflow.tables import Workflow, transition

NASTY = "<script>alert(1)</script>"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


class Light(models.TextChoices):
    RED = "red", "红"
    GREEN = "green", "绿"


MOVES = Workflow(
    key="light",
    title="灯",
    states=Light,
    initial="red",
    transitions=(
        transition("go", "放行", ["red"], "green", permission="light.go", style="primary"),
        transition("stop", "拦停", ["green"], "red", permission="light.go", needs_reason=True, style="danger"),
        transition("fade", "熄灯", ["green"], "red", by_system=True),
    ),
)


def draw(template: str, **context: Any) -> str:
    return Template("{% load ui %}" + template).render(Context(context))


def test_icons_come_from_the_sprite_and_are_silent() -> None:
    text = draw('{% icon "calendar" %}')
    assert "ui/dist/icons.svg#calendar" in text
    assert 'aria-hidden="true"' in text


def test_status_is_word_icon_and_tone(monkeypatch: Any) -> None:
    monkeypatch.setattr(statuses, "_looks", {})
    assert "tone-neutral" in draw('{% status "green" choices %}', choices=Light)
    statuses.dress(Light, {Light.GREEN: ("check", "good")})
    text = draw('{% status "green" workflow %}', workflow=MOVES)
    assert "绿" in text
    assert "tone-good" in text
    assert "#check" in text
    assert NASTY not in draw("{% status value choices %}", value=NASTY, choices=Light)


def test_status_of_a_row_by_its_nested_choices() -> None:
    assert "进行中" in draw("{% status row %}", row=Job(status="running"))


@pytest.mark.parametrize("looks", [{"purple": ("check", "good")}, {"red": ("check", "shiny")}])
def test_only_known_values_and_tones_are_dressed(looks: Any) -> None:
    with pytest.raises(ValueError, match="cannot dress"):
        statuses.dress(Light, looks)


def test_dates_money_and_the_unknown() -> None:
    assert "2026-11-23（周一）" in draw("{% day value %}", value=date(2026, 11, 23))
    assert "2026-11-23 12:00" in draw("{% moment value %}", value=NOON)
    assert draw("{% money 123450 %}") == "¥1,234.50"
    assert draw("{% unknown value %}|{% unknown zero %}", value=None, zero=0) == "—|0"
    assert draw("{% day none %}{% moment none %}{% deadline none %}", none=None) == "———"


def test_masked_text_is_escaped() -> None:
    assert "<" not in draw("{% masked value %}", value="<b>")


@pytest.mark.django_db
def test_a_date_as_deadline_ends_with_the_day() -> None:
    assert "剩 2 个工作日（11-25 23:59 前）" in draw("{% deadline value now %}", value=date(2026, 11, 25), now=NOON)


class TestMoves:
    driver = Actor(role="driver", permissions=frozenset({"light.go"}))

    def buttons(self, status: str, actor: Actor, **more: Any) -> str:
        row = SimpleNamespace(pk=7, status=status)
        extra = " ".join(f"{name}={name}" for name in more)
        template = "{% moves row workflow actor 'desk:ui_move' " + extra + " %}"
        return draw(template, row=row, workflow=MOVES, actor=actor, csrf_token="token", **more)

    def test_buttons_come_from_the_table(self) -> None:
        text = self.buttons("red", self.driver)
        assert 'action="/desk/ui/7/go/"' in text
        assert 'name="seen_status" value="red"' in text
        assert "csrfmiddlewaretoken" in text
        assert "拦停" not in text

    def test_a_reason_is_asked_where_the_table_says_so(self) -> None:
        text = self.buttons("green", self.driver)
        assert '<textarea class="form-control" id="reason-7-stop" name="reason"' in text
        assert "熄灯" not in text

    def test_no_button_for_those_who_may_not(self) -> None:
        assert "<button" not in self.buttons("red", Actor(role="walker", permissions=frozenset()))

    def test_a_move_may_bring_fields_or_lead_to_a_page(self) -> None:
        class Extra(forms.Form):
            lamp = forms.CharField()

        assert 'name="lamp"' in self.buttons("red", self.driver, forms={"go": Extra()})
        assert 'href="/elsewhere/"' in self.buttons("red", self.driver, links={"go": "/elsewhere/"})


def test_a_rule_link_says_value_source_and_how_sure() -> None:
    reading = SimpleNamespace(
        key="demo.cap",
        title="次数上限",
        display="2 次",
        source="演示依据 第八条",
        is_working_default=True,
        effective_from=date(2026, 1, 1),
    )
    text = draw("{% rule_link reading %}", reading=reading)
    for part in ("依据", "次数上限", "2 次", "演示依据 第八条", "待确认", "2026-01-01", "/desk/rules/demo.cap/"):
        assert part in text
    assert draw("{% rule_link none %}", none=None) == ""


def test_a_chart_carries_its_numbers_as_a_table_and_no_script_of_its_own() -> None:
    option = {"dataset": {"source": [["月", "次"], [NASTY, 3], ["二月", None]]}, "series": [{"type": "bar"}]}
    text = draw('{% chart "visits" option label="每月" %}', option=option)
    assert 'data-chart="visits-option"' in text
    assert '<script id="visits-option" type="application/json">' in text
    assert NASTY not in text
    assert '<th scope="row">&lt;script&gt;' in text
    assert '<td class="text-end">—</td>' in text


def test_a_figure_says_how_it_was_made() -> None:
    from xiezhi.foundation.ui.figures import Figure

    figure = Figure("合并率", "37.5%", definition="少进的门", numerator="45 次", denominator="120 次", url="/x/")
    text = draw("{% figure figure %}", figure=figure)
    assert '<a href="/x/">37.5%</a>' in text
    assert "分子：45 次" in text
    assert "—" in draw("{% figure figure %}", figure=Figure("时间", None, "小时"))
    assert "小时" not in draw("{% figure figure %}", figure=Figure("时间", None, "小时"))


def test_a_timeline_of_dicts_or_objects() -> None:
    entries = [{"at": NOON, "title": "同意", "who": "甲", "url": "/x/"}, SimpleNamespace(at=NOON, title=NASTY)]
    text = draw("{% timeline entries %}", entries=entries)
    assert '<a href="/x/">同意</a>' in text
    assert NASTY not in text
    assert "还没有经过记录" in draw("{% timeline entries %}", entries=[])


def test_steps_mark_where_one_is() -> None:
    text = draw("{% steps labels 2 %}", labels=["选文件", "预览", "导入"])
    assert text.count("aria-current") == 1
    assert "已完成" in text


class Everything(forms.Form):
    name = forms.CharField(help_text="与执照一致")
    on = forms.DateField(initial=date(2026, 11, 23))
    at = forms.DateTimeField(required=False, initial=NOON)
    kind = forms.ChoiceField(choices=[("", "---------"), ("a", "甲")])
    answer = forms.ChoiceField(choices=[("y", "是"), ("n", "否")], widget=forms.RadioSelect)
    scenes = forms.MultipleChoiceField(choices=[("h", "酒店")], widget=forms.CheckboxSelectMultiple, required=False)
    sure = forms.BooleanField()
    secret = forms.CharField(widget=forms.HiddenInput, initial="s")
    groups = (("是哪一家", ("name",)), ("什么时候", ("on", "at", "no_such_field")))


class TestForms:
    def test_controls_wear_the_theme_and_use_native_pickers(self) -> None:
        text = draw("{{ form }}", form=Everything())
        assert '<input type="date" name="on" value="2026-11-23" class="form-control"' in text
        assert '<input type="datetime-local" name="at" value="2026-11-23T12:00"' in text
        assert 'class="form-select"' in text
        assert "---" not in text
        assert "请选择" in text
        assert text.count("form-check-input") == 4
        assert text.count('name="secret"') == 1

    def test_every_control_has_its_label_and_help(self) -> None:
        text = draw("{{ form }}", form=Everything())
        assert '<label class="form-label" for="id_name">' in text
        assert 'aria-describedby="id_name_helptext"' in text
        assert 'id="id_name_helptext"' in text
        assert text.count("（可不填）") == 2

    def test_groups_come_first_and_no_field_is_lost(self) -> None:
        text = draw("{{ form }}", form=Everything())
        assert text.index("是哪一家") < text.index("什么时候") < text.index('name="kind"')
        for name in Everything.base_fields:
            assert f'name="{name}"' in text

    def test_errors_stand_under_the_field_and_in_a_summary_that_links_to_it(self) -> None:
        form = Everything({"name": NASTY, "on": "昨天", "kind": "a", "answer": "y", "sure": "on"})
        form.add_error(None, "这份计划已经截止。")
        text = draw("{{ form }}", form=form)
        assert 'role="alert"' in text
        assert '<a href="#id_on">' in text
        assert 'id="id_on_error"' in text
        assert "is-invalid" in text
        assert "这份计划已经截止。" in text
        assert NASTY not in text

    def test_what_was_chosen_stays_chosen(self) -> None:
        form = Everything({"answer": "n", "scenes": ["h"], "sure": "on", "kind": "a"})
        text = draw("{{ form }}", form=form)
        assert text.count("checked") == 3
        assert '<option value="a" selected>' in text
