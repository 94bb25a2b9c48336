"""Words for what stands in the audit: actions, kinds of object, names of details. Workflows bring their own; others register in `ready()`."""

from collections.abc import Mapping

from django.apps import apps
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xiezhi.foundation.workflow.tables import Workflow

_labels: dict[str, str | Promise] = {}
_states: dict[str, type[models.TextChoices]] = {}
_fields: dict[str, str | Promise] = {
    "from": pgettext_lazy("audit detail", "由"),
    "to": pgettext_lazy("audit detail", "到"),
    "key": _("规则"),
    "value": _("取值"),
    "effective_from": _("生效日期"),
    "confidence": _("核实情况"),
    "number": _("编号"),
    "code": _("代码"),
    "version": pgettext_lazy("audit detail", "版本"),
    "visit": _("联合检查"),
    "role": _("岗位"),
    "organisation": _("机构"),
    "department": _("部门"),
    "subject": _("经营主体"),
    "street": _("街道"),
    "teams": _("组数"),
    "starts_on": _("开始日期"),
    "ends_on": _("结束日期"),
    "rows": _("行数"),
    "count": _("数量"),
    "because": _("缘由"),
    "year": _("年份"),
    "document_number": _("文号"),
    "due_on": _("截止日期"),
}


def register(labels: Mapping[str, str | Promise]) -> None:
    """Say what actions are called: `register({"access.appointed": _("任命")})`."""
    _labels.update(labels)


def register_fields(fields: Mapping[str, str | Promise]) -> None:
    """Say what details in a payload are called: `register_fields({"amount_fen": _("金额（分）")})`."""
    _fields.update(fields)


def register_workflow(workflow: Workflow) -> None:
    """Take the words of every move from its table."""
    register({f"{workflow.key}.{move.name}": move.label for move in workflow.transitions})
    _states.update({f"{workflow.key}.{move.name}": workflow.states for move in workflow.transitions})


def label(action: str) -> str:
    """The word for `action`; the action's own code when nobody registered one."""
    return str(_labels.get(action, action))


def field_label(name: str) -> str:
    """The word for a detail of a payload; its own name when nobody registered one."""
    return str(_fields.get(name, name))


def state_label(action: str, value: object) -> str | None:
    """The word for a state that a move of a workflow left or reached; None where `value` is none of its states."""
    states = _states.get(action)
    return str(states(value).label) if states and value in states.values else None


def kind_label(kind: str) -> str:
    """What objects of `app.model` are called; the kind itself when there is no such model any more."""
    try:
        return str(apps.get_model(kind)._meta.verbose_name)
    except (LookupError, ValueError):
        return kind


def actions_called(words: str) -> list[str]:
    """The codes of the actions whose word or code holds `words`."""
    wanted = words.casefold()
    return [code for code, word in _labels.items() if wanted in code.casefold() or wanted in str(word).casefold()]


def actions_by_app() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every action that has a word, grouped by the app that brings it: choices for a filter."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, word in _labels.items():
        groups.setdefault(_app_name(code.partition(".")[0]), []).append((code, str(word)))
    return [(name, sorted(found, key=lambda each: each[1])) for name, found in sorted(groups.items())]


def _app_name(app_label: str) -> str:
    try:
        return str(apps.get_app_config(app_label).verbose_name)
    except LookupError:
        return app_label
