from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules import effects
from xiezhi.foundation.rules.exchange import Proposal, Trouble, sorted_out
from xiezhi.foundation.rules.models import RuleVersion, Verification
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
    reopen: bool = False,
    actor: Actor,
    at: datetime,
) -> RuleVersion:
    """Let `value` be in force from `effective_from` (today or later); the version before it ends the day before.

    Confirming a working default is a change to the same value with its source. Raises Refused for an unknown rule, a value of the
    wrong kind, a day in the past or one on which another version already starts, for a confirmed value without a source, and for a
    change that would open deadlines again which are over, naming them, unless `reopen` says that this is meant; Stale
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
    _check_reopening(rule, declared, versions, reopen, at)
    following = next((each for each in versions if each.effective_from > effective_from), None)
    version.effective_to = following.effective_from - ONE_DAY if following else None
    for each in versions:
        if each.effective_from < effective_from and (each.effective_to is None or each.effective_to >= effective_from):
            each.effective_to = effective_from - ONE_DAY
            each.save(update_fields=["effective_to"])
    version.save()
    if version.confidence == Confidence.CONFIRMED:
        Verification.objects.filter(key=key).delete()
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


def proposed_change(
    rule: Rule[Any], value: Any, effective_from: date, versions: Iterable[RuleVersion], at: datetime
) -> effects.Change:
    """The change that `effects.effects_of` is asked about: the value against what is in force on its first day."""
    in_force = [
        each
        for each in versions
        if each.effective_from <= effective_from and (each.effective_to is None or each.effective_to >= effective_from)
    ]
    before = rule.kind.from_json(in_force[-1].value) if in_force else None
    return effects.Change(rule, before, value, effective_from, at)


def _check_reopening(
    rule: Rule[Any], declared: Version[Any], versions: list[RuleVersion], reopen: bool, at: datetime
) -> None:
    if reopen:
        return
    change = proposed_change(rule, declared.value, declared.effective_from, versions, at)
    names = effects.reopened(effects.effects_of(change))
    if names:
        shown = _("、").join(names[:5]) + (_(" 等 %(count)s 项") % {"count": len(names)} if len(names) > 5 else "")
        raise Refused(
            _("这样改会重新打开已经到期的期限：%(names)s。确实要这样，请先看影响，并勾选确认。") % {"names": shown}
        )


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


@transaction.atomic
def import_rules(
    *, proposals: Sequence[Proposal], reopen: bool = False, actor: Actor, at: datetime
) -> list[RuleVersion]:
    """Take in the versions of a rule book that are not there yet, all or none; returns them.

    Raises Refused naming the first lines that cannot be taken, or as `change_rule` does. What is there already stays as it is.
    """
    actor.require(RulesPermission.CHANGE)
    found = sorted_out(proposals, today=timezone.localdate(at))
    if found.troubles:
        raise Refused(" ".join(str(each) for each in found.troubles[:3]))
    made = []
    for each in sorted(found.new, key=lambda proposal: (proposal.key, proposal.effective_from)):
        try:
            made.append(
                change_rule(
                    key=each.key,
                    value=each.value,
                    effective_from=each.effective_from,
                    source=each.source,
                    confidence=each.confidence,
                    note=each.note,
                    reopen=reopen,
                    actor=actor,
                    at=at,
                )
            )
        except Refused as refusal:
            raise Refused(str(Trouble(each.where, "", str(refusal)))) from None
    return made


@transaction.atomic
def assign_verification(
    *, key: str, organisation: Organisation, due_on: date, note: str = "", actor: Actor, at: datetime
) -> Verification:
    """Say who is to find the source of a working default, and by when; a second time replaces the first.

    Raises Refused for an unknown rule, one that is confirmed already, and a day in the past.
    """
    actor.require(RulesPermission.CHANGE)
    try:
        rule = get_rule(key)
    except KeyError:
        raise Refused(_("没有这条规则：%(key)s。") % {"key": key}) from None
    today = timezone.localdate(at)
    if due_on < today:
        raise Refused(_("核实期限不能早于今天。"))
    versions = RuleVersion.objects.filter(key=key, effective_from__lte=today).order_by("-effective_from")
    newest = versions.first()
    if newest and newest.confidence == Confidence.CONFIRMED:
        raise Refused(_("“%(title)s”已经核实，不需要安排。") % {"title": rule.title})
    row, _created = Verification.objects.update_or_create(
        key=key, defaults={"organisation": organisation, "due_on": due_on, "note": note.strip(), "assigned_at": at}
    )
    record(
        "rules.verification_assigned",
        row,
        actor=actor,
        at=at,
        key=key,
        organisation=organisation.code,
        due_on=due_on.isoformat(),
    )
    return row


def confirm_rule(
    *, key: str, source: Source, effective_from: date, note: str = "", actor: Actor, at: datetime
) -> RuleVersion:
    """Confirm a working default as it stands: the same value, with the instrument, article and body that give it.

    Raises Refused without an article, and as `change_rule` does.
    """
    if not source.article.strip():
        raise Refused(_("请写明条款：核实到哪一条，就写哪一条。"))
    versions = list(RuleVersion.objects.filter(key=key, effective_from__lte=effective_from).order_by("effective_from"))
    if not versions:
        raise Refused(_("没有这条规则：%(key)s。") % {"key": key})
    if versions[-1].confidence == Confidence.CONFIRMED:
        raise AlreadyDone(_("这条规则已经核实。"))
    return change_rule(
        key=key,
        value=get_rule(key).kind.from_json(versions[-1].value),
        effective_from=effective_from,
        source=source,
        confidence=Confidence.CONFIRMED,
        note=note,
        actor=actor,
        at=at,
    )
