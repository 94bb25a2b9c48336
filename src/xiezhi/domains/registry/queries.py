"""Reads of the register that more than one caller needs. Every one starts at what the actor may see."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from xiezhi.domains.registry.facts import folded
from xiezhi.domains.registry.matching import likeness, pairs, plain
from xiezhi.domains.registry.models import PendingMatch, Premises, Scene, Subject, TimelineEntry
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation

OPEN_STATUSES = (Subject.Status.ACTIVE, Subject.Status.SUSPENDED)
MOST_CANDIDATES = 6
LEAST_LIKE = 0.34
"""Names with less than a third of their pairs in common are not worth showing."""
CHUNK = 1_000


def search_subjects(text: str, *, actor: Actor) -> QuerySet[Subject]:
    """Subjects in which every word of `text` occurs: in name, code, street or address of any of their premises.

    Words are compared without brackets, spaces and width. An empty text finds everyone.
    """
    return mentioning(Subject.objects.visible_to(actor), text)


def mentioning(subjects: QuerySet[Subject], text: str) -> QuerySet[Subject]:
    """Those of `subjects` that `search_subjects` would find."""
    for word in folded(text).split():
        subjects = subjects.filter(_mentions(word))
    return subjects


def _mentions(word: str) -> Q:
    streets = Organisation.objects.filter(kind=Organisation.Kind.STREET).filter(
        Q(name__icontains=word) | Q(short_name__icontains=word)
    )
    doors = Premises.objects.filter(Q(street__in=streets) | Q(address__icontains=word) | Q(name__icontains=word))
    found = Q(name__icontains=word) | Q(code__icontains=word) | Q(pk__in=doors.values("subject_id"))
    normal = plain(word)
    return found | Q(normal_name__contains=normal) if normal else found


def find_premises(
    *,
    actor: Actor,
    text: str = "",
    streets: Iterable[Organisation] | None = None,
    scene: Scene | None = None,
    industry_prefix: str = "",
    open_only: bool = True,
) -> QuerySet[Premises]:
    """Premises with their subject and street, by number. `open_only`: the door and the subject behind it are open.

    None and "" do not narrow. This is the frame that sampling draws from.
    """
    found = Premises.objects.visible_to(actor).select_related("subject", "street").order_by("subject__code", "number")
    if open_only:
        found = found.filter(is_open=True, subject__status__in=OPEN_STATUSES)
    if streets is not None:
        found = found.filter(street__in=list(streets))
    if scene is not None:
        found = found.filter(Exists(Subject.scenes.through.objects.filter(subject=OuterRef("subject"), scene=scene)))
    if industry_prefix:
        found = found.filter(subject__industry__startswith=industry_prefix.upper())
    if text.strip():
        found = found.filter(subject__in=search_subjects(text, actor=actor))
    return found


def premises_by_code(codes: Iterable[str], *, actor: Actor) -> dict[str, list[Premises]]:
    """Every premises of the subjects with these codes, open or not, by number; unknown codes have no key. A query per 1,000 codes."""
    wanted = sorted(set(codes))
    found: dict[str, list[Premises]] = defaultdict(list)
    for start in range(0, len(wanted), CHUNK):
        rows = Premises.objects.visible_to(actor).filter(subject__code__in=wanted[start : start + CHUNK])
        for each in rows.select_related("subject", "street").order_by("subject__code", "number"):
            found[each.subject.code].append(each)
    return dict(found)


def undisturbed_subject_ids(*, actor: Actor) -> QuerySet[Subject, int]:
    """Ids of the subjects on a do-not-disturb list (无事不扰, R11)."""
    found = Subject.objects.visible_to(actor).filter(scenes__undisturbed=True)
    return found.values_list("pk", flat=True).distinct()


def timeline(
    subject: Subject, *, page: int | str = 1, per_page: int = 20, kinds: Iterable[str] = ()
) -> Page[TimelineEntry]:
    """One page of the subject's timeline, newest first; a page beyond the end is the last. `kinds`: starts of kinds (`inspections.`).

    The caller has the subject from `visible_to`. Two queries.
    """
    lines = TimelineEntry.objects.filter(subject=subject).select_related("premises").order_by("-at", "-pk")
    wanted = Q()
    for kind in kinds:
        wanted |= Q(kind__startswith=kind)
    return Paginator(lines.filter(wanted), per_page).get_page(page)


@dataclass(frozen=True)
class Candidate:
    """Someone whom a pending name may mean. `score` 0–100; `reasons` as sentences; `premises`: the likeliest door of theirs."""

    subject: Subject
    premises: Premises | None
    doors: tuple[Premises, ...]
    score: int
    reasons: tuple[str, ...]


def match_candidates(pending: PendingMatch, *, actor: Actor) -> list[Candidate]:
    """The likeliest subjects for a pending name, best first, at most six: same name, one name inside the other, names with many
    pairs of characters in common, the same address; an earlier decision about the same name counts too. Six queries."""
    visible = Subject.objects.visible_to(actor)
    normal = pending.normal_name
    decided = set(
        PendingMatch.objects.filter(normal_name=normal, status=PendingMatch.Status.MATCHED)
        .exclude(subject=None)
        .values_list("subject_id", flat=True)[:MOST_CANDIDATES]
    )
    wanted = set(_alike(visible, normal).values_list("pk", flat=True)[: MOST_CANDIDATES * 4]) | decided
    if len(plain(pending.address)) >= 4:
        written = Q(address__icontains=pending.address) | Q(address__icontains=pending.address.replace(" ", ""))
        doors = Premises.objects.visible_to(actor).filter(written)
        wanted |= set(doors.values_list("subject_id", flat=True)[:MOST_CANDIDATES])
    subjects = visible.filter(pk__in=wanted).prefetch_related("premises__street")
    found = [_weigh(pending, subject, subject.pk in decided) for subject in subjects]
    best = max((each.score for each in found), default=0)
    likely = [each for each in found if each.score * 2 >= best > 0]  # beside a likely one the unlikely are noise
    return sorted(likely, key=lambda each: (-each.score, each.subject.code))[:MOST_CANDIDATES]


def _alike(visible: QuerySet[Subject], normal: str) -> QuerySet[Subject]:
    """Ranked by the database: Dice's coefficient over pairs of characters, whatever the size of the register."""
    shared: Any = Value(0)
    for pair in pairs(normal):
        here = When(normal_name__contains=pair, then=Value(1))
        shared = shared + Case(here, default=Value(0), output_field=IntegerField())
    share = ExpressionWrapper(
        F("shared") * 2.0 / (Length("normal_name") + Value(max(1, len(normal) - 2))), output_field=FloatField()
    )
    found = visible.annotate(shared=ExpressionWrapper(shared, output_field=IntegerField())).annotate(share=share)
    near = Q(share__gte=LEAST_LIKE) | Q(normal_name=normal)
    if len(normal) >= 2:
        near |= Q(normal_name__contains=normal)
    return found.filter(near).order_by("-share", "pk")


def _weigh(pending: PendingMatch, subject: Subject, decided: bool) -> Candidate:
    name, normal = subject.normal_name, pending.normal_name
    like = likeness(name, normal)
    score, reasons = 0, []
    if decided:
        reasons.append(_("同样的名称曾确认为这家"))
    if name == normal:
        score = 80
        reasons.append(_("名称相同") if subject.name == pending.name else _("名称只有写法不同"))
    elif min(len(name), len(normal)) >= 2 and (name in normal or normal in name):
        score = max(55, round(75 * like))
        reasons.append(_("一个名称包含另一个"))
    elif like >= LEAST_LIKE:
        score = round(75 * like)
        reasons.append(_("名称有 %(n)s%% 相同") % {"n": round(100 * like)})
    doors = tuple(subject.premises.all())
    marks = [(_door_marks(pending, door), door) for door in doors]
    best, premises = max(marks, key=lambda each: (each[0], each[1].is_open, -each[1].pk), default=((0, 0), None))
    if best[0]:
        reasons.append(_("地址相同"))
    if best[1]:
        reasons.append(_("街道相同"))
    score = min(100, score + 14 * best[0] + 6 * best[1] + 10 * decided)
    if not subject.is_open and score:
        score = max(1, score - 15)
        reasons.append(_("已%(status)s，多半不是") % {"status": subject.get_status_display()})
    return Candidate(subject, premises, doors, score, tuple(reasons))


def _door_marks(pending: PendingMatch, door: Premises) -> tuple[int, int]:
    address, street = plain(pending.address), plain(pending.street_text)
    here = plain(door.address)
    same_address = len(address) >= 4 and (address in here or here in address)
    names = {plain(door.street.name), plain(door.street.short_name), plain(door.street.code)}
    return int(same_address), int(bool(street) and street in names)
