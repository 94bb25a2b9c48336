"""答复模板: texts for replies, bound to kind, state, outcome and article; their places (占位) filled from a case."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Agreement, Case, ReplyTemplate
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import CaseStatus, Kind, Outcome, article_of
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused

PLACES = ("number", "title", "respondent", "reason", "article", "unit", "terms")
STATES = (CaseStatus.HANDLING, CaseStatus.CONCLUDED)
"""The states from which a reply is sent."""
ENDS = "。；;. \n"
"""Dropped behind a value: the template's own sentence ends it."""
_PLACE = re.compile(r"\{([^{}]*)\}")
_ARTICLE = re.compile(r"第[一二三四五六七八九十百零]+条")


def templates_for(case: Case) -> list[ReplyTemplate]:
    """The templates bound to the case's kind, state and outcome, in order of their codes; those without an outcome come last."""
    found = [each for each in ReplyTemplate.objects.filter(is_active=True).order_by("code") if suits(each, case)]
    return sorted(found, key=lambda template: (not template.outcomes, template.code))


def suits(template: ReplyTemplate, case: Case) -> bool:
    """Whether a template is bound to what the case is and how it stands; what it names no kind, state or outcome for it is open to."""
    kinds, states, outcomes = template.kinds.split(), template.statuses.split(), template.outcomes.split()
    return (
        (not kinds or case.kind in kinds)
        and (not states or case.status in states)
        and (not outcomes or not case.outcome or case.outcome in outcomes)
    )


def values_for(case: Case, article: str = "") -> Mapping[str, str]:
    """What each place of a template holds for a case; empty where the case has nothing for it."""
    ground = case.refusal_ground or case.end_ground
    agreement = Agreement.objects.filter(mediation__case=case).order_by("-pk").first()
    return {
        "number": case.number,
        "title": case.title,
        "respondent": case.respondent or _("被诉方"),
        "reason": case.decision_reason.rstrip(ENDS),
        "article": article_of(ground) or article,
        "unit": str(case.unit) if case.unit else "",
        "terms": agreement.terms.rstrip(ENDS) if agreement else "",
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its places filled in one pass: what stands in a value is not looked at again. Unknown places stay as they are."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def filled(template: ReplyTemplate, case: Case) -> str:
    """A template's text for one case."""
    return fill(template.text, values_for(case, template.article))


def unknown_places(text: str) -> list[str]:
    """Places in a text that nothing is known for."""
    return sorted({f"{{{name}}}" for name in _PLACE.findall(text) if name not in PLACES})


def empty_places(text: str, values: Mapping[str, str]) -> list[str]:
    """Places in a text that would come out empty."""
    return sorted({f"{{{name}}}" for name in _PLACE.findall(text) if name in values and not values[name]})


@dataclass(frozen=True)
class Draft:
    """What a template is to say. The bindings are tuples of `Kind`, `CaseStatus` and `Outcome` values; empty: open to all."""

    title: str
    text: str
    kinds: Sequence[str] = ()
    statuses: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    article: str = ""


def faults(draft: Draft) -> list[str]:
    """What is wrong with a template, in sentences: places that do not exist, or that its bindings leave empty; braces left open."""
    text, found = draft.text, []
    if not clean(draft.title) or not clean(text):
        found.append(_("请填写名称和正文。"))
    if unknown := unknown_places(text):
        known = "、".join(f"{{{name}}}" for name in PLACES)
        found.append(
            _("没有 %(names)s 这样的占位；可用的有 %(known)s。") % {"names": "、".join(unknown), "known": known}
        )
    if re.search(r"[{}]", _PLACE.sub("", text)):
        found.append(_("大括号没有成对。"))
    if "{article}" in text and not draft.article and not set(draft.outcomes) & {Outcome.REFUSED, Outcome.TERMINATED}:
        found.append(_("正文用到 {article}，请填写依据条款。"))
    if "{terms}" in text and set(draft.outcomes) != {Outcome.SETTLED}:
        found.append(_("正文用到 {terms}（协议内容），适用结果只能是“调解达成一致”。"))
    if "{reason}" in text and not (draft.outcomes and set(draft.outcomes) <= {Outcome.REFUSED, Outcome.TERMINATED}):
        found.append(_("正文用到 {reason}（说明），适用结果只能是“不予受理”或者“终止调解”。"))
    if draft.article and not _ARTICLE.search(draft.article):
        found.append(_("依据条款请写成“第十五条”这样的形式。"))
    for given, allowed in ((draft.kinds, Kind.values), (draft.statuses, STATES), (draft.outcomes, Outcome.values)):
        if not set(given) <= set(allowed):
            found.append(_("适用范围里有不认识的选项。"))
    return found


@transaction.atomic
def save_template(*, draft: Draft, actor: Actor, at: datetime, replaces: ReplyTemplate | None = None) -> ReplyTemplate:
    """A new template, or the next version of one: replies that were sent keep the version they were sent with.

    Raises Refused with everything that `faults` finds, or for a version that somebody has replaced since.
    """
    actor.require(May.DISPATCH)
    if wrong := faults(draft):
        raise Refused(" ".join(wrong))
    code, version = f"own-{ReplyTemplate.objects.count() + 1}", 1
    if replaces:
        before = ReplyTemplate.objects.select_for_update().get(pk=replaces.pk)
        if not before.is_active:
            raise Refused(_("这一版已经停用或者被替换，请打开在用的那一版。"))
        code, version = before.code, before.version + 1
        _stop(before, at)
    made = ReplyTemplate.objects.create(
        code=code, version=version, title=clean(draft.title)[:60], text=clean(draft.text)[:4000], article=clean(draft.article)[:60],
        kinds=" ".join(draft.kinds), statuses=" ".join(draft.statuses), outcomes=" ".join(draft.outcomes), made_at=at,
    )  # fmt: skip
    record("complaints.template.saved", made, actor=actor, at=at, code=code, version=version)
    return made


@transaction.atomic
def retire_template(*, template: ReplyTemplate, actor: Actor, at: datetime) -> ReplyTemplate:
    """Offer a template no longer. What was sent with it stays. Twice is once."""
    actor.require(May.DISPATCH)
    standing = ReplyTemplate.objects.select_for_update().get(pk=template.pk)
    if standing.is_active:
        _stop(standing, at)
        record(
            "complaints.template.retired", standing, actor=actor, at=at, code=standing.code, version=standing.version
        )
    return standing


def _stop(template: ReplyTemplate, at: datetime) -> None:
    template.is_active, template.retired_at = False, at
    template.save(update_fields=["is_active", "retired_at"])
