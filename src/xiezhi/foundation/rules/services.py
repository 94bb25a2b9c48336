from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.rules.models import RuleVersion
from xiezhi.foundation.rules.permissions import RulesPermission
from xiezhi.foundation.rules.registry import Confidence, Rule, Source, Version, all_rules, get_rule
from xiezhi.foundation.rules.values import ValueProblem
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

ONE_DAY = timedelta(days=1)
CONTENT = ("value", "instrument", "article", "body", "jurisdiction", "confidence", "note", "origin")
"""What makes two versions of one day the same."""


def load_declared_rules(*, using: str, at: datetime) -> int:
    """Bring versions that the release declares and the database never had; returns how many.

    A rule with a local version gets none: what the district decided stands until the district decides again. Part of setting up a
    database, before anybody acts in it, hence neither actor nor audit entry.
    """
    added = 0
    with transaction.atomic(using=using):
        present: dict[str, dict[date, RuleVersion]] = {}
        for version in RuleVersion.objects.using(using).order_by("key", "effective_from"):
            present.setdefault(version.key, {})[version.effective_from] = version
        for rule in all_rules():
            versions = present.get(rule.key, {})
            if all(each.origin == RuleVersion.Origin.RELEASE for each in versions.values()):
                added += _add_declared(rule, versions, using=using, at=at)
    return added


def _add_declared(rule: Rule[Any], present: dict[date, RuleVersion], *, using: str, at: datetime) -> int:
    added = 0
    for position, declared in enumerate(rule.versions):
        last_day = rule.last_day(position)
        version = present.get(declared.effective_from)
        if version is None:
            version = _version(rule, declared, RuleVersion.Origin.RELEASE, at)
            version.effective_to = last_day
            version.save(using=using, force_insert=True)
            added += 1
        elif version.effective_to != last_day:
            version.effective_to = last_day
            version.save(using=using, update_fields=["effective_to"])
    return added


def _version(rule: Rule[Any], declared: Version[Any], origin: RuleVersion.Origin, at: datetime) -> RuleVersion:
    return RuleVersion(
        key=rule.key,
        value=rule.kind.to_json(rule.kind.check(declared.value)),
        effective_from=declared.effective_from,
        instrument=declared.source.instrument,
        article=declared.source.article,
        body=declared.source.body,
        jurisdiction=declared.source.jurisdiction,
        confidence=declared.confidence,
        note=declared.note,
        origin=origin,
        recorded_at=at,
    )


@transaction.atomic
def change_rule(
    *,
    key: str,
    value: Any,
    effective_from: date,
    source: Source,
    confidence: Confidence,
    note: str = "",
    seen_version_id: int | None = None,
    actor: Actor,
    at: datetime,
) -> RuleVersion:
    """Let `value` be in force from `effective_from` (today or later); the version before it ends the day before.

    Confirming a working default is a change to the same value with its source. Raises Refused for an unknown rule, a value of the
    wrong kind, a day in the past or one on which another version already starts, and for a confirmed value without a source; Stale
    when a version newer than `seen_version_id` (the newest that the person's page showed) exists; AlreadyDone on a double click.
    """
    actor.require(RulesPermission.CHANGE)
    try:
        rule = get_rule(key)
        declared = Version(rule.kind.check(value), effective_from, source, Confidence(confidence), note.strip())
    except KeyError:
        raise Refused(_("没有这条规则：%(key)s。") % {"key": key}) from None
    except ValueProblem as problem:
        raise Refused(_("“%(title)s”的取值不对：%(problem)s") % {"title": rule.title, "problem": problem}) from None
    _check_change(declared, at)
    versions = list(RuleVersion.objects.select_for_update().filter(key=key).order_by("effective_from"))
    version = _version(rule, declared, RuleVersion.Origin.LOCAL, at)
    _check_place(version, versions, seen_version_id)
    following = next((each for each in versions if each.effective_from > effective_from), None)
    version.effective_to = following.effective_from - ONE_DAY if following else None
    for each in versions:
        if each.effective_from < effective_from and (each.effective_to is None or each.effective_to >= effective_from):
            each.effective_to = effective_from - ONE_DAY
            each.save(update_fields=["effective_to"])
    version.save()
    record(
        "rules.changed",
        version,
        actor=actor,
        at=at,
        key=key,
        value=version.value,
        effective_from=effective_from.isoformat(),
        confidence=version.confidence,
    )
    return version


def _check_change(declared: Version[Any], at: datetime) -> None:
    if declared.effective_from < timezone.localdate(at):
        raise Refused(_("生效日期不能早于今天：已经作出的决定按当时的规则办。"))
    if declared.confidence == Confidence.CONFIRMED and not (declared.source.instrument and declared.source.body):
        raise Refused(_("标为“已核实”须写明依据文件和发布机关；没有依据的，请标为“工作默认值”。"))


def _check_place(version: RuleVersion, versions: list[RuleVersion], seen_version_id: int | None) -> None:
    same_day = next((each for each in versions if each.effective_from == version.effective_from), None)
    if same_day and all(getattr(same_day, name) == getattr(version, name) for name in CONTENT):
        raise AlreadyDone(_("已经改好：新版本自 %(day)s 起生效。") % {"day": version.effective_from})
    if seen_version_id is not None and any(each.pk > seen_version_id for each in versions):
        raise Stale(_("这条规则刚刚被他人修改，请看过新的版本再决定。"))
    if same_day:
        raise Refused(
            _("%(day)s 起已经有一个版本，请另选生效日期，或先撤回尚未生效的那一个。") % {"day": version.effective_from}
        )


@transaction.atomic
def withdraw_version(*, version: RuleVersion, actor: Actor, at: datetime) -> None:
    """Take back a local version that is not in force yet; the one before it runs on. Raises Refused for any other version."""
    actor.require(RulesPermission.CHANGE)
    versions = list(RuleVersion.objects.select_for_update().filter(key=version.key).order_by("effective_from"))
    position = next((place for place, each in enumerate(versions) if each.pk == version.pk), None)
    if position is None:
        raise Refused(_("这个版本已经撤回。"))
    locked = versions[position]
    if locked.origin != RuleVersion.Origin.LOCAL or locked.effective_from <= timezone.localdate(at):
        raise Refused(_("已经生效或随软件提供的版本不能撤回，请另立一个新版本。"))
    record(
        "rules.withdrawn", locked, actor=actor, at=at, key=locked.key, effective_from=locked.effective_from.isoformat()
    )
    before = versions[position - 1] if position else None
    if before and before.effective_to == locked.effective_from - ONE_DAY:
        before.effective_to = locked.effective_to
        before.save(update_fields=["effective_to"])
    try:
        locked.delete()
    except ProtectedError:
        raise Refused(_("已有决定引用这个版本，不能撤回。")) from None
