"""Sample content for the living page. Everything is invented; names are as long as real ones get."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import django_tables2
from django import forms
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.progress import Progress
from xiezhi.foundation.ui.attention import Attention
from xiezhi.foundation.ui.figures import Figure
from xiezhi.foundation.ui.lists import Action
from xiezhi.foundation.ui.statuses import dress
from xiezhi.foundation.ui.tables import DayColumn, DeadlineColumn, MaskedColumn, MoneyColumn, StatusColumn, Table
from xiezhi.foundation.workflow.tables import Workflow, transition

LONG_NAME = "演示区金榆街道示例连锁餐饮管理有限公司特许加盟第二十八分店"


TOKENS = (
    ("primary", gettext_lazy("墨青 · 操作")),
    ("primary-tint", gettext_lazy("墨青底")),
    ("urgent", gettext_lazy("朱砂 · 逾期与危险")),
    ("caution", gettext_lazy("藤黄 · 快到期")),
    ("warning", gettext_lazy("橙 · 警示")),
    ("good", gettext_lazy("松绿 · 已完成")),
    ("canvas", gettext_lazy("月白 · 底色")),
    ("surface", gettext_lazy("纸 · 面")),
    ("ink", gettext_lazy("墨 · 文字")),
    ("muted", gettext_lazy("淡墨 · 次要文字")),
)
"""Names of tokens.css and what they are for."""


class SampleStatus(models.TextChoices):
    DRAFT = "draft", gettext_lazy("草稿")
    WAITING = "waiting", gettext_lazy("等待答复")
    AGREED = "agreed", gettext_lazy("已同意")
    REFUSED = "refused", gettext_lazy("不参加")


dress(
    SampleStatus,
    {
        "draft": ("pencil", "neutral"),
        "waiting": ("hourglass", "caution"),
        "agreed": ("circle-check", "good"),
        "refused": ("circle-x", "urgent"),
    },
)
WORKFLOW = Workflow(
    key="sample",
    title=gettext_lazy("样例"),
    states=SampleStatus,
    initial="draft",
    transitions=(
        transition("agree", gettext_lazy("同意"), ["waiting"], "agreed", permission="sample", style="primary"),
        transition("recall", gettext_lazy("退回修改"), ["waiting"], "draft", permission="sample"),
        transition(
            "refuse",
            gettext_lazy("不参加"),
            ["waiting"],
            "refused",
            permission="sample",
            needs_reason=True,
            style="danger",
        ),
    ),
)


class SampleTable(Table):
    name = django_tables2.Column(verbose_name=gettext_lazy("名称"))
    status = StatusColumn(SampleStatus, verbose_name=gettext_lazy("状态"))
    contact = MaskedColumn(verbose_name=gettext_lazy("联系人"))
    visit_on = DayColumn(verbose_name=gettext_lazy("日期"))
    due_at = DeadlineColumn(verbose_name=gettext_lazy("答复期限"))
    amount = MoneyColumn(verbose_name=gettext_lazy("金额"))
    phone = ("name", "status", "due_at")


class SampleForm(forms.Form):
    """One field of each kind, grouped by question."""

    name = forms.CharField(
        label=gettext_lazy("名称"), max_length=28, help_text=gettext_lazy("与营业执照上的写法一致。")
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("类别"),
        choices=[("", gettext_lazy("请选择")), ("a", gettext_lazy("餐饮")), ("b", gettext_lazy("商场"))],
    )
    visit_on = forms.DateField(label=gettext_lazy("日期"))
    starts_at = forms.TimeField(label=gettext_lazy("时间"), required=False)
    scenes = forms.MultipleChoiceField(
        label=gettext_lazy("场景"),
        choices=[("hotel", gettext_lazy("酒店")), ("mall", gettext_lazy("商圈"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    answer = forms.ChoiceField(
        label=gettext_lazy("答复"),
        choices=[("yes", gettext_lazy("参加")), ("no", gettext_lazy("不参加"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=gettext_lazy("说明"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    sure = forms.BooleanField(label=gettext_lazy("我已核对以上内容"))
    groups = (
        (gettext_lazy("是哪一家"), ("name", "kind")),
        (gettext_lazy("什么时候"), ("visit_on", "starts_at")),
    )


@dataclass(frozen=True)
class SampleReading:
    """Has what a rule's reading shows."""

    key: str = "sample.rule"
    title: str = "每家每年检查次数上限"
    display: str = "2 次"
    source: str = "演示依据 第八条"
    is_working_default: bool = True
    effective_from: datetime | None = None


def everything(at: datetime) -> dict[str, Any]:
    """The living page's context at `at`."""
    return {
        "row": SimpleNamespace(pk=1, status="waiting"),
        "workflow": WORKFLOW,
        "choices": SampleStatus,
        "sample_actor": Actor(role="sample", permissions=frozenset({"sample"})),
        "table": SampleTable(_rows(at)),
        "figures": _figures(),
        "lines": _lines(at),
        "story": _story(at),
        "jobs": _jobs(at),
        "may_steer": True,
        "reading": SampleReading(effective_from=at),
        "chart": _chart(),
        "long_name": LONG_NAME,
        "past": at - timedelta(hours=5),
        "today": at + timedelta(hours=2),
        "soon": at + timedelta(days=2),
        "later": at + timedelta(days=9),
        "empty_action": Action(_("导入文件"), "#empty", icon="upload"),
        "steps": [_("选文件"), _("对应列"), _("预览"), _("导入")],
        "tokens": TOKENS,
        "tones": ["neutral", "active", "good", "caution", "warning", "urgent"],
    }


def _rows(at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "name": LONG_NAME if number == 0 else f"演示商户 {number} 号",
            "status": status,
            "contact": "张演示" if number else "13800001234",
            "visit_on": at.date() + timedelta(days=number),
            "due_at": at + timedelta(days=number - 1, hours=1),
            "amount": 123_450 * number or None,
        }
        for number, status in enumerate(SampleStatus.values)
    ]


def _figures() -> list[Figure]:
    return [
        Figure(
            _("合并减少率"),
            "37.5%",
            definition=_("合并后少进的门，占各走各的门数的比例。"),
            numerator=_("少进门 45 次"),
            denominator=_("原需进门 120 次"),
            trend=_("比上季度多 4.2 个百分点"),
            tone="good",
            url="#figures",
        ),
        Figure(_("联合检查"), "1,284", _("次"), definition=_("两个以上部门一起到场的检查。"), url="#figures"),
        Figure(_("到场时间"), None, _("小时"), definition=_("本季度还没有检查记录。")),
        Figure(_("超期未答复"), 3, _("件"), trend=_("比昨天多 2 件"), tone="urgent", url="#figures"),
    ]


def _lines(at: datetime) -> list[Attention]:
    return [
        Attention(_("等您部门答复的联合检查建议"), "#attention", "urgent", 3, _("件"), at - timedelta(hours=2)),
        Attention(_("名称待匹配的计划行"), "#attention", "caution", 28, _("行"), at + timedelta(days=1)),
        Attention(_("本周到场的检查"), "#attention", "active", 5, _("次"), icon="calendar-check"),
    ]


def _story(at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "at": at - timedelta(hours=1),
            "title": _("消防救援局同意参加"),
            "who": _("演示消防负责人"),
            "icon": "circle-check",
            "tone": "good",
        },
        {
            "at": at - timedelta(hours=3),
            "title": _("卫生健康委提议改期"),
            "text": _("当日有全市培训，建议改到次周二上午。"),
            "who": _("演示卫健负责人"),
            "icon": "calendar-event",
            "tone": "caution",
        },
        {"at": at - timedelta(days=1), "title": _("发送联合检查建议"), "who": _("系统"), "icon": "clipboard-list"},
    ]


def _jobs(at: datetime) -> list[dict[str, Any]]:
    running = Job(
        pk=1,
        title=_("导入经营主体"),
        status=Job.Status.RUNNING,
        phase=_("写入"),
        done=18_200,
        total=50_000,
        created_at=at,
        started_at=at - timedelta(seconds=75),
    )
    failed = Job(
        pk=2,
        title=_("生成联合检查建议"),
        status=Job.Status.FAILED,
        error=_("第 3 个部门还没有报送计划，请先催报。"),
        created_at=at,
    )
    since = str(int((at - timedelta(seconds=60)).timestamp()))
    return [
        {"job": job, "progress": Progress.of(job, at=at, phase=job.phase, since=since, done_then="0")}
        for job in (running, failed)
    ]


def _chart() -> dict[str, Any]:
    rows = [[_("8 月"), 120, 75], [_("9 月"), 132, 80], [_("10 月"), 101, 71], [_("11 月"), 134, 78]]
    return {
        "dataset": {"source": [[_("月份"), _("各走各的"), _("合并以后")], *rows]},
        "xAxis": {"type": "category"},
        "yAxis": {"type": "value", "name": _("进门次数")},
        "series": [{"type": "bar"}, {"type": "bar"}],
    }
