"""What can be read out of a text: category, merchant, mall, street, urgency, strain, who probably handles it, and facts for the form.

Everything is an offer with its reasons. Nothing here writes, and nothing that comes out of it decides anything.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Category, Suggestion
from xiezhi.domains.complaints.queries import loaded
from xiezhi.domains.complaints.words import Demand, Tier, Urgency
from xiezhi.domains.registry.models import Subject
from xiezhi.engines.text import extract, hints
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.words import money

KIND, SOURCE = Suggestion.Kind, Suggestion.Source
READ = 20_000
"""Characters of a text that are looked at; what follows changes nothing."""
MOST_REASONS, MOST_OFFERS = 4, 3
SURE_NAME, SURE_SHARE, LEAST_DECISIONS = 0.85, 0.6, 3
DECISIONS_READ = 300
UNITS = (Organisation.Kind.DEPARTMENT, Organisation.Kind.STATION)
DEMANDS = {
    "退款": Demand.REFUND, "退货": Demand.RETURN, "更换": Demand.EXCHANGE, "修理": Demand.REPAIR, "赔偿": Demand.COMPENSATE,
    "道歉": Demand.APOLOGY, "查处": Demand.INVESTIGATE, "履行合同": Demand.PERFORM, "答复": Demand.ANSWER,
}  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """One suggestion. `value` is what a decision is compared with; `fills`: fields of the intake form and what they would hold.

    `confidence` is None where nothing measures it; `sure` False is shown as 信心不足. `facts` are kinds that are stored with no case.
    """

    kind: str
    value: str
    label: str
    confidence: float | None
    sure: bool
    reasons: tuple[str, ...]
    source: str
    fills: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the offer is about, in words."""
        extra = {
            "demand": _("诉求目的"), "happened_on": _("发生日期"), "phone": _("电话"), "place": _("发生地点"), "amount": _("金额"),
        }  # fmt: skip
        return extra.get(self.kind) or str(Suggestion.Kind(self.kind).label)

    @property
    def by(self) -> str:
        """How it was found: 按模型, 按关键词 …"""
        return str(Suggestion.Source(self.source).label)

    @property
    def percent(self) -> int | None:
        """The confidence in whole per cent."""
        return None if self.confidence is None else round(self.confidence * 100)


@dataclass(frozen=True)
class Reading:
    """Offers, the likeliest of a kind first; `model_digest` names the model, empty for keywords."""

    offers: tuple[Offer, ...]
    model_digest: str = ""

    def first(self, kind: str) -> Offer | None:
        """The likeliest offer of a kind."""
        return next((each for each in self.offers if each.kind == kind), None)


@dataclass(frozen=True)
class Known:
    """What has been said already, as primary keys: a unit is suggested for it rather than for what we would have guessed."""

    category_id: int | None = None
    street_id: int | None = None


def read(
    text: str, *, on: date, known: Known | None = None, categories: Mapping[str, Category] | None = None
) -> Reading:
    """All that a text offers. An empty text offers nothing; of a long one the first 20,000 characters are read. `categories`: those in use by
    their codes, where the caller has them."""
    text = text[:READ]
    if not any(map(str.isalnum, text)):
        return Reading(())
    known = known or Known()
    categories = categories_in_use() if categories is None else categories
    offers, digest = _category(text, categories)
    offers += _whom_and_where(text, on)
    offers += _by_words(text)
    chosen = next((each for each in offers if each.kind == KIND.CATEGORY and each.sure), None)
    street = next((each for each in offers if each.kind == KIND.STREET and each.sure), None)
    category_id = known.category_id or (categories[chosen.value].pk if chosen else None)
    offers += likely_unit(category_id, known.street_id or (int(street.value) if street else None))
    return Reading((*offers, *_facts(text, on)), digest)


def categories_in_use() -> dict[str, Category]:
    """The categories in use, by their codes."""
    return {each.code: each for each in Category.objects.filter(is_active=True)}


def _category(text: str, categories: Mapping[str, Category]) -> tuple[list[Offer], str]:
    used = loaded.model_in_use()
    if used is None:
        return _by_keywords(text, categories.values()), ""
    version, model = used
    found = model.suggest(text)
    said = tuple(_("提到“%(words)s”") % {"words": each.fragment} for each in found.reasons[:MOST_REASONS])
    offers = [
        _category_offer(categories[each.label], each.confidence, found.label == each.label, said if at == 0 else (), SOURCE.MODEL)
        for at, each in enumerate(found.top)
        if each.label in categories and (at == 0 or each.confidence >= 0.1)
    ]  # fmt: skip
    return offers, version.digest


def _category_offer(
    category: Category, confidence: float | None, sure: bool, reasons: tuple[str, ...], source: str
) -> Offer:
    name = f"{category.group} · {category.name}" if category.group != category.name else category.name
    return Offer(KIND.CATEGORY, category.code, name, confidence, sure, reasons, source, {"category": str(category.pk)})


def _by_keywords(text: str, categories: Iterable[Category]) -> list[Offer]:
    """Categories whose keywords the text holds: longer and more words say more; of two that say the same neither is sure."""
    found = []
    for category in categories:
        words = [each for each in {*category.keywords.split(), category.name} if each in text]
        if words:
            found.append((sum(map(len, words)), category, sorted(words, key=lambda each: (text.index(each), each))))
    found.sort(key=lambda each: (-each[0], each[1].code))
    alone = len(found) == 1 or (len(found) > 1 and found[0][0] > found[1][0])
    return [
        _category_offer(
            category, None, alone and at == 0,
            (_("关键词：%(words)s") % {"words": _("、").join(words[:MOST_REASONS])},), SOURCE.KEYWORDS,
        )
        for at, (_weight, category, words) in enumerate(found[:MOST_OFFERS])
    ]  # fmt: skip


def _whom_and_where(text: str, on: date) -> list[Offer]:
    """Merchant, mall and street: by their names in the text, and by what the register says of the merchant."""
    names = loaded.names()
    subjects = list(_subjects(text, names, on))
    sure = subjects[0] if len(subjects) == 1 and subjects[0][0].sure else None
    named: dict[str, dict[int, str]] = {"mall": {}, "street": {}}
    for hit in names.bodies.find(text):
        named[hit.key[0]].setdefault(hit.key[1], text[hit.start : hit.end])
    offers = [offer for offer, _subject in subjects]
    offers += _bodies(KIND.MALL, named["mall"], names)
    offers += _bodies(KIND.STREET, named["street"], names)
    have = {each.kind for each in offers if each.sure}
    if sure:
        offers += [each for each in _by_register(sure[1], on) if each.kind not in have]
        have |= {each.kind for each in offers}
    if KIND.STREET not in have:
        offers += _by_road(text, names)
    return sorted(offers, key=lambda each: not each.sure)


def _subjects(text: str, names: loaded.Names, on: date) -> Iterator[tuple[Offer, Subject]]:
    hits = {hit.key: (0.98 if hit.exact else 0.9, text[hit.start : hit.end]) for hit in names.subjects.find(text)}
    if not hits:
        hits = {
            each.key: (min(each.score, SURE_NAME - 0.01), each.fragment)
            for each in names.subjects.best(text, limit=MOST_OFFERS, least=0.6)
        }
    best = sorted(hits, key=lambda key: (-hits[key][0], key))[:MOST_OFFERS]
    rows = Subject.objects.in_bulk(best)
    for key in best:
        if (subject := rows.get(key)) is None:
            continue
        share, fragment = hits[key]
        confidence = share / len(best)
        offer = Offer(
            KIND.SUBJECT, str(subject.pk), subject.name, confidence, confidence >= SURE_NAME,
            (_("提到“%(words)s”") % {"words": fragment},), SOURCE.NAMES,
            {"subject_code": subject.code, "respondent_name": subject.name},
        )  # fmt: skip
        yield offer, subject


def _bodies(kind: str, named: Mapping[int, str], names: loaded.Names) -> list[Offer]:
    share = 0.95 / len(named) if named else 0.0
    return [
        Offer(
            kind, str(key), names.words[(str(kind), key)], share, share >= SURE_NAME,
            (_("提到“%(words)s”") % {"words": words},), SOURCE.NAMES, {str(kind): str(key)},
        )
        for key, words in list(named.items())[:MOST_OFFERS]
    ]  # fmt: skip


def _by_register(subject: Subject, on: date) -> list[Offer]:
    """The mall and the street of a merchant with one door: what the register says."""
    offers = []
    open_ended = Q(ends_on=None) | Q(ends_on__gte=on)
    tenancy = subject.tenancies.filter(open_ended, starts_on__lte=on).select_related("mall").first()
    if tenancy:
        offers.append(
            Offer(
                KIND.MALL, str(tenancy.mall_id), str(tenancy.mall), 0.95, True,
                (_("登记：租用其%(unit)s铺位") % {"unit": tenancy.unit},), SOURCE.RECORDS, {"mall": str(tenancy.mall_id)},
            )
        )  # fmt: skip
    doors = list(subject.premises.filter(is_open=True).select_related("street")[:2])
    if len(doors) == 1:
        offers.append(
            Offer(
                KIND.STREET, str(doors[0].street_id), str(doors[0].street), 0.95, True,
                (_("登记：场所在%(address)s") % {"address": doors[0].address},), SOURCE.RECORDS,
                {"street": str(doors[0].street_id), "respondent_address": doors[0].address},
            )
        )  # fmt: skip
    return offers


def _by_road(text: str, names: loaded.Names) -> list[Offer]:
    """The street on whose doors a road of the text stands."""
    best = max((road for road in names.roads if road in text), key=len, default="")
    if not best:
        return []
    doors = names.roads[best]
    street, count = doors.most_common(1)[0]
    share = count / (doors.total() + 1)
    return [
        Offer(
            KIND.STREET, str(street), names.words.get(("street", street), ""), share, share >= SURE_SHARE,
            (_("主体库里%(road)s的 %(all)s 个场所有 %(n)s 个在这里") % {"road": best, "all": doors.total(), "n": count},),
            SOURCE.RECORDS, {"street": str(street)},
        )
    ]  # fmt: skip


def _by_words(text: str) -> list[Offer]:
    offers = []
    urgent, strained = hints.urgency(text), hints.emotion(text)
    if urgent.level:
        fills = {"tier": urgent.level}
        word = {"2h": Urgency.EMERGENCY, "24h": Urgency.URGENT}.get(urgent.level)
        if word:
            fills["urgency"] = word.value
        label = f"{word.label} · {Tier(urgent.level).label}" if word else str(Tier(urgent.level).label)
        offers.append(Offer(KIND.URGENCY, urgent.level, label, None, True, _whys(urgent), SOURCE.WORDS, fills))
    if strained.level:
        level = {1: _("不满"), 2: _("气愤"), 3: _("激烈"), 4: _("有威胁或者自伤的话")}[strained.level]
        fills = {"hostile": "on"} if strained.level >= 3 else {}
        value = "1" if strained.level >= 3 else "0"
        offers.append(Offer(KIND.HOSTILE, value, level, None, True, _whys(strained), SOURCE.WORDS, fills))
    return offers


def _whys(hint: hints.Hint[Any]) -> tuple[str, ...]:
    return tuple(
        _("%(why)s：“%(words)s”") % {"why": each.why, "words": each.fragment} for each in hint.reasons[:MOST_REASONS]
    )


def likely_unit(category_id: int | None, street_id: int | None) -> list[Offer]:
    """Who handled the latest matters of this kind in this street (else there at all, else of this kind): a count, nothing learned."""
    if not (category_id or street_id):
        return []
    near = Q(street_id=street_id) if street_id else Q(category_id=category_id)
    handled = Case.objects.filter(near, signed_at__isnull=False, unit__kind__in=UNITS).order_by("-received_at")
    rows = list(handled.values_list("category_id", "unit_id")[:DECISIONS_READ])
    alike = [unit for category, unit in rows if category == category_id]
    both = bool(street_id) and len(alike) >= LEAST_DECISIONS
    units = alike if both or not street_id else [unit for _category_id, unit in rows]
    if not units:
        return []
    (best, count), all_of = Counter(units).most_common(1)[0], len(units)
    unit = Organisation.objects.get(pk=best)
    what = _("同街道、同类别") if both else _("同街道") if street_id else _("同类别")
    reason = _("最近 %(all)s 件%(what)s的诉求，%(n)s 件由它办理") % {"all": all_of, "what": what, "n": count}
    share = count / (all_of + 1)
    sure = share >= SURE_SHARE and all_of >= LEAST_DECISIONS
    return [Offer(KIND.UNIT, str(unit.pk), str(unit), share, sure, (reason,), SOURCE.DECISIONS)]


def _facts(text: str, on: date) -> Iterator[Offer]:
    """What the form can be filled with besides: demand, day, telephone, sum. Kept with no case."""
    demand = next((each for each in extract.demands(text) if each.name in DEMANDS), None)
    if demand:
        chosen = DEMANDS[demand.name]
        yield _fact("demand", chosen.value, str(chosen.label), demand.fragment, {"demand": chosen.value})
    if sums := extract.amounts(text):
        largest = max(sums, key=lambda each: each.fen)
        words = text[largest.start : largest.end]
        asked = _("涉及金额 %(sum)s") % {"sum": money(largest.fen)}
        yield _fact("amount", str(largest.fen), money(largest.fen), words, {"demand_text": asked})
    past = [each for each in extract.dates(text, on) if each.day <= on]
    if past:
        first = past[0]
        yield _fact(
            "happened_on", first.day.isoformat(), first.day.isoformat(), text[first.start : first.end],
            {"happened_on": first.day.isoformat()},
        )  # fmt: skip
    phone = next((each for each in extract.personal(text) if each.kind in {"phone", "landline"}), None)
    if phone:
        yield _fact("phone", "", extract.mask(phone.text), "", {"phone": phone.text})


def _fact(kind: str, value: str, label: str, words: str, fills: Mapping[str, str]) -> Offer:
    reasons = (_("提到“%(words)s”") % {"words": words},) if words else ()
    return Offer(kind, value, label, None, True, reasons, SOURCE.WORDS, fills)


def read_case(case: Case, categories: Mapping[str, Category] | None = None) -> Reading:
    """The reading of a case's own text, with a unit for what the case says already."""
    known = Known(category_id=case.category_id, street_id=case.street_id)
    text = f"{case.respondent_name} {case.place}\n{case.description or case.title}"
    return read(text, on=timezone.localdate(case.received_at), known=known, categories=categories)
