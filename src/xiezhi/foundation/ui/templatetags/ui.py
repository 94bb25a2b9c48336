"""The components that templates are built from: `{% load ui %}`."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from django import forms, template
from django.conf import settings
from django.db import models
from django.forms.boundfield import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.permissions import AuditPermission
from xiezhi.foundation.ui import navigation, statuses, words
from xiezhi.foundation.ui.clocks import Left, time_left
from xiezhi.foundation.workflow.services import available
from xiezhi.foundation.workflow.tables import Workflow

register = template.Library()
BUTTONS = {"primary": "btn-primary", "secondary": "", "caution": "btn-caution", "danger": "btn-danger"}


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """A Tabler icon named in frontend/icons.txt; always beside a word."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        _sprite(get_script_prefix()),
        name,
    )


@lru_cache(maxsize=4)
def _sprite(prefix: str) -> str:
    """Where the icons lie; a page may name it a hundred times. It stays the same while the process runs."""
    return static("ui/dist/icons.svg")


@register.filter
def button(style: str) -> str:
    """The CSS class of a button whose style is primary, secondary, caution or danger."""
    return BUTTONS.get(style, "")


def status_badge(look: statuses.Look) -> SafeString:
    """Word, icon and colour."""
    return format_html('<span class="state tone-{}">{}{}</span>', look.tone, icon(look.icon), look.word)


register.simple_tag(status_badge, name="badge")


@register.simple_tag
def status(value: Any, choices: Any = "status") -> SafeString:
    """`{% status row %}`, `{% status row "level" %}` or `{% status value choices_or_workflow %}`."""
    if isinstance(value, models.Model):
        return status_badge(statuses.look_of(value, choices))
    return status_badge(statuses.look(value, choices))


@register.simple_tag
def tag(word: str, tone: str = "neutral", icon_name: str = "") -> SafeString:
    """A small label that is not a workflow state: `{% tag "安全" "urgent" "alert-triangle" %}`."""
    return format_html('<span class="state tone-{}">{}{}</span>', tone, icon(icon_name) if icon_name else "", word)


@register.simple_tag
def day(value: date | datetime | None) -> SafeString | str:
    """2026-11-23（周一）."""
    if value is None:
        return words.UNKNOWN
    return format_html('<time datetime="{}" class="text-nowrap">{}</time>', value.isoformat(), words.day(value))


@register.simple_tag
def moment(value: datetime | None) -> SafeString | str:
    """2026-11-23 14:30."""
    if value is None:
        return words.UNKNOWN
    return format_html('<time datetime="{}" class="text-nowrap">{}</time>', value.isoformat(), words.moment(value))


@register.simple_tag
def ago(value: datetime | None) -> SafeString | str:
    """3 分钟前, with the moment in its title."""
    if value is None:
        return words.UNKNOWN
    text = words.ago(value, timezone.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), words.moment(value), text)


@register.simple_tag(name="deadline")
def deadline(value: datetime | date | None, at: datetime | None = None) -> SafeString | str:
    """剩 2 个工作日（11-25 18:00 前）, red when passed. A date means the end of that day."""
    if value is None:
        return words.UNKNOWN
    if not isinstance(value, datetime):
        value = timezone.make_aware(datetime.combine(value, time(23, 59)))
    left: Left = time_left(value, at or timezone.now())
    return format_html(
        '<time datetime="{}" class="state tone-{}">{}{}</time>{}',
        value.isoformat(),
        left.tone,
        icon(left.icon),
        left.text,
        pending_mark(left.pending),
    )


def pending_mark(years: Sequence[int]) -> SafeString | str:
    """待通知 with what it means in its title; nothing when every year's notice is known."""
    if not years:
        return ""
    told = _("%(years)s 年放假安排待通知，这个期限是暂定的，录入后自动重算") % {"years": _("、").join(map(str, years))}
    return format_html(
        ' <span class="state tone-caution" title="{}">{}{}</span>', told, icon("help-circle"), _("待通知")
    )


@register.simple_tag
def money(fen: int | None) -> str:
    """¥1,234.50 from integer fen."""
    return words.money(fen)


@register.simple_tag
def minutes(value: int | None) -> str:
    """2 小时 30 分钟 from integer minutes."""
    return words.minutes(value)


@register.simple_tag
def masked(text: str | None) -> str:
    """Personal data with its middle hidden."""
    return words.masked(text)


@register.simple_tag
def unknown(value: Any) -> Any:
    """The value, or — when there is none (0 is a value)."""
    return words.UNKNOWN if value is None or value == "" else value


@register.simple_tag
def rule_link(reading: Any, *, value: bool = False) -> SafeString | str:
    """依据: what the rule says, since when, how sure, with a link to it. Nothing for None. With `value`, what it says stands before.

    A rule's key in place of a reading means the rule as it stands today: for pages whose view has no reading at hand.
    """
    if isinstance(reading, str):
        reading = _reading_today(reading)
    if reading is None:
        return ""
    try:
        url = reverse("rules:detail", args=[reading.key])
    except (NoReverseMatch, AttributeError):
        url = ""
    return SafeString(render_to_string("ui/parts/rule_link.html", {"reading": reading, "url": url, "value": value}))


def _reading_today(key: str) -> Any:
    from xiezhi.foundation.rules.queries import NoRuleInForce
    from xiezhi.foundation.rules.queries import reading as reading_on

    try:
        return reading_on(key, on=timezone.localdate())
    except NoRuleInForce:
        return None


@register.inclusion_tag("ui/parts/moves.html", takes_context=True)
def moves(
    context: template.Context,
    row: models.Model,
    workflow: Workflow,
    actor: Actor,
    url_name: str,
    forms: Mapping[str, Any] | None = None,
    links: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A button for each move that `actor` can make on `row` now; posts to `url_name` with the row's key and the move's name.

    `forms`: move name → form whose fields the move also needs; `links`: move name → address of a page that asks more.
    """
    drawn = [
        {
            "move": move,
            "url": (links or {}).get(move.name) or reverse(url_name, args=[row.pk, move.name]),
            "page": move.name in (links or {}),
            "form": (forms or {}).get(move.name),
        }
        for move in available(workflow, row, actor)
    ]
    seen = getattr(row, workflow.field)
    return {"moves": drawn, "seen_status": seen, "row": row, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("ui/progress.html", takes_context=True)
def progress(context: template.Context, job: Any) -> dict[str, Any]:
    """A job's bar with count, rate and time left; refreshes itself while the job is open."""
    from xiezhi.foundation.jobs.progress import Progress
    from xiezhi.foundation.jobs.services import may_steer

    return {
        "job": job,
        "progress": Progress.of(job, at=timezone.now()),
        "may_steer": may_steer(job, context["request"].actor),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("ui/parts/chart.html")
def chart(name: str, option: Mapping[str, Any], label: str = "", tall: bool = False) -> dict[str, Any]:
    """An ECharts chart from `option` with its numbers in a table under it.

    `option["dataset"]["source"]` holds a header row and rows: the chart draws it and the table shows it. Colours come from our palette.
    """
    source = option.get("dataset", {}).get("source") or []
    data = json_script(option, f"{name}-option")
    return {"name": name, "data": data, "label": label, "tall": tall, "header": source[:1], "rows": source[1:]}


@register.simple_tag
def public_links() -> list[navigation.Link]:
    """Pages for everybody, signed in or not."""
    return navigation.public_links()


@register.inclusion_tag("ui/parts/chart_scripts.html")
def chart_scripts() -> dict[str, Any]:
    """Put once into `{% block scripts %}` of a page that has a chart."""
    return {}


@register.inclusion_tag("ui/parts/figure.html")
def figure(item: Any) -> dict[str, Any]:
    """A dashboard's figure: value, unit, definition, trend and the way into its list."""
    return {"figure": item}


@register.inclusion_tag("ui/parts/timeline.html")
def timeline(entries: Any, empty: str = "") -> dict[str, Any]:
    """A timeline, newest first, of dicts or objects with `at`, `title` and optionally `text`, `who`, `icon`, `tone`, `url`."""
    return {"entries": entries, "empty": empty}


@register.inclusion_tag("ui/parts/steps.html")
def steps(labels: Any, current: int) -> dict[str, Any]:
    """A wizard's steps; `current` counts from 1."""
    return {"steps": list(enumerate(labels, 1)), "current": current}


@register.inclusion_tag("ui/parts/empty.html")
def empty(title: str, text: str = "", action: Any = None, icon_name: str = "list") -> dict[str, Any]:
    """What stands where nothing is."""
    return {"title": title, "text": text, "action": action, "icon_name": icon_name}


@register.simple_tag(takes_context=True)
def audit_link(context: template.Context, row: models.Model) -> SafeString | str:
    """A row's newest audit entries and the way to all of them, for people who may read the audit; nothing for others."""
    from xiezhi.foundation.audit.queries import object_history

    actor: Actor | None = context.get("actor")
    if actor is None or not actor.can(AuditPermission.READ.value):
        return ""
    kind, key = row._meta.label_lower, str(row.pk)
    shown = {"acts": object_history(kind, key, limit=5), "url": reverse("audit:history", args=[kind, key])}
    return SafeString(render_to_string("audit/panel.html", shown))


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """A form field's control with the theme's classes and the browser's own pickers for dates and times."""
    _prepare(field.field.widget)
    _ask_for_a_choice(field.field)
    css = _css(field.field.widget)
    own = field.field.widget.attrs.get("class", "")
    if field.errors:
        css += " is-invalid"
    return field.as_widget(attrs={"class": f"{css} {own}".strip()})


def _ask_for_a_choice(field: forms.Field) -> None:
    """Django's own empty choice is a row of dashes."""
    if isinstance(field, forms.ModelChoiceField):
        if field.empty_label and set(field.empty_label) == {"-"}:
            field.empty_label = _("请选择")
    elif isinstance(field.widget, forms.Select) and not isinstance(field.widget, forms.NullBooleanSelect):
        choices = [(value, _("请选择") if set(str(label)) == {"-"} else label) for value, label in field.widget.choices]
        field.widget.choices = choices


def _css(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return ""
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


def _prepare(widget: forms.Widget) -> None:
    """Widgets are copied for each form, so this alters nothing that is shared."""
    native = {forms.DateInput: ("date", "%Y-%m-%d"), forms.TimeInput: ("time", "%H:%M")}
    native[forms.DateTimeInput] = ("datetime-local", "%Y-%m-%dT%H:%M")
    for kind, (input_type, pattern) in native.items():
        if type(widget) is kind:
            widget.input_type, widget.format, widget.is_localized = input_type, pattern, False
    for part in getattr(widget, "widgets", []):
        _prepare(part)


@register.filter
def field_kind(field: BoundField) -> str:
    """How the field template lays the field out: check, choices, hidden or plain."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "choices" if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple) else "plain"


@register.simple_tag
def form_groups(form: forms.BaseForm) -> list[dict[str, Any]]:
    """The form's visible fields by its `groups`; fields that no group names follow at the end."""
    left = {field.name: field for field in form.visible_fields()}
    groups = [
        {"title": title, "fields": [left.pop(name) for name in names if name in left]}
        for title, names in getattr(form, "groups", ())
    ]
    if left:
        groups.append({"title": "", "fields": list(left.values())})
    return groups


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or None; of a form, its field."""
    try:
        return mapping[key]
    except (KeyError, IndexError):
        return None


@register.simple_tag
def product() -> str:
    """The product's name."""
    return str(settings.PRODUCT_NAME)


@register.simple_tag
def initial(text: str) -> str:
    """The first character of a name, for the round badge beside it."""
    return (re.sub(r"\s", "", text) or _("人"))[0].upper()
