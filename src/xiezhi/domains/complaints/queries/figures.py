"""成效: 响应率、解决率、满意率 with what they are made of, by unit, category, street, mall, channel and time.

Every number is a count of `Tally` rows under a condition of `conditions()`; the list behind it is read by the same condition, so that a
number and its list cannot differ. Definitions are working ones (工作口径) and hang on rules: the official ones are not public.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case as Choose
from django.db.models import Count, IntegerField, Q, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.complaints import rules
from xiezhi.domains.complaints.models import Category, Kept, Stage, Tally
from xiezhi.domains.complaints.models.figures import TallyQuerySet
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.words import ANSWERED, CallbackOutcome, Channel, ClockKind, Kind, Outcome, Satisfaction
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import Reading, rule_book
from xiezhi.foundation.ui.figures import Figure

Text = str | Promise
TREND = 6
"""How many periods the chart goes back, the current one included; LONG periods only show the one before."""
LONG = timedelta(days=100)
MOST_LINES = 300


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both inclusive, by when the cases were received (收到日期)."""

    kind: str
    first: date
    last: date

    def before(self) -> "Period":
        """The period of the same kind that ends the day before this one; as many days for a custom one."""
        if self.kind == "custom":
            return Period(
                "custom", self.first - (self.last - self.first) - timedelta(days=1), self.first - timedelta(days=1)
            )
        return period_of(self.kind, self.first - timedelta(days=1))

    def __str__(self) -> str:
        if self.kind == "month":
            return f"{self.first:%Y-%m}"
        if self.kind == "quarter":
            return _("%(year)s 年第 %(n)s 季度") % {"year": self.first.year, "n": (self.first.month + 2) // 3}
        return f"{self.first:%Y-%m-%d} – {self.last:%m-%d}"


def period_of(kind: str, day: date) -> Period:
    """The week (from Monday), month or quarter in which `day` is. Raises KeyError for another kind."""
    if kind == "week":
        first = day - timedelta(days=day.weekday())
        return Period(kind, first, first + timedelta(days=6))
    months = {"month": 1, "quarter": 3}[kind]
    month = (day.month - 1) // months * months + 1
    first = date(day.year, month, 1)
    number = first.year * 12 + first.month - 1 + months
    return Period(kind, first, date(number // 12, number % 12 + 1, 1) - timedelta(days=1))


@dataclass(frozen=True)
class Dimension:
    """What the figures can be laid out by; `choices` for words, else rows of Organisation or Category."""

    column: str
    label: Text
    choices: type[Channel] | type[Kind] | None = None


DIMENSIONS: dict[str, Dimension] = {
    "unit": Dimension("unit_id", gettext_lazy("承办单位")),
    "category": Dimension("category_id", gettext_lazy("问题类别")),
    "street": Dimension("street_id", gettext_lazy("街道")),
    "mall": Dimension("mall_id", gettext_lazy("商场")),
    "channel": Dimension("channel", gettext_lazy("渠道"), Channel),
    "kind": Dimension("kind", gettext_lazy("类型"), Kind),
}
MALL_DIMENSIONS = ("category", "kind")
"""What a mall may lay its own figures out by."""
NOTHING = "none"
"""The value of a dimension where a case has none."""


@dataclass(frozen=True)
class Meaning:
    """The working definitions in force at a period's end."""

    partly: Reading[bool]
    fair: Reading[bool]
    weights: Reading[Any]
    on: date

    @classmethod
    def at(cls, on: date) -> "Meaning":
        """As of a day; one query."""
        book = rule_book(rules.PARTLY_COUNTS, rules.FAIR_COUNTS, rules.WEIGHTS)
        return cls(
            partly=book.reading(rules.PARTLY_COUNTS, on=on),
            fair=book.reading(rules.FAIR_COUNTS, on=on),
            weights=book.reading(rules.WEIGHTS, on=on),
            on=on,
        )


def conditions(meaning: Meaning) -> dict[str, Q]:
    """What each count counts. `…_kept`: the same without cases left out (剔除) or put aside on that day (挂账)."""
    solved = [CallbackOutcome.RESOLVED, *([CallbackOutcome.PARTLY] if meaning.partly.value else [])]
    pleased = [Satisfaction.SATISFIED, *([Satisfaction.FAIR] if meaning.fair.value else [])]
    counted = Q(excluded=False) & (Q(deferred_until=None) | Q(deferred_until__lte=meaning.on))
    rates = {
        "due": Q(clock_tier__in=[Kept.KEPT, Kept.BREACHED]),
        "in_time": Q(clock_tier=Kept.KEPT),
        "answered": Q(callback__in=sorted(ANSWERED)),
        "solved": Q(callback__in=solved),
        "rated": ~Q(satisfaction=""),
        "pleased": Q(satisfaction__in=pleased),
    }
    found = {
        "received": Q(),
        "open": Q(stage=Stage.OPEN),
        "excluded": Q(excluded=True),
        "deferred": Q(deferred_until__gt=meaning.on),
        "uncalled": ~Q(stage=Stage.OPEN) & Q(callback=""),
        **{outcome.value: Q(callback=outcome) for outcome in CallbackOutcome},
        "settled": Q(outcome=Outcome.SETTLED),
        "mediated": Q(outcome__in=[Outcome.SETTLED, Outcome.TERMINATED]),
        "official": Q(source="official"),
        **rates,
        **{f"{name}_kept": condition & counted for name, condition in rates.items()},
    }
    for kind in ClockKind:
        for state in (Kept.KEPT, Kept.BREACHED, Kept.RUNNING):
            found[f"{kind}_{state.name.lower()}"] = Q(**{f"clock_{kind}": state})
    return found


@dataclass(frozen=True)
class Scope:
    """Which cases beside the period: any of a dimension's values, by its name."""

    narrowed: Mapping[str, str] = field(default_factory=dict)

    def of(self, rows: TallyQuerySet) -> TallyQuerySet:
        """The rows of this scope; those without a value for `none`; none at all for nonsense."""
        for name, value in self.narrowed.items():
            dimension = DIMENSIONS[name]
            if dimension.choices:
                rows = rows.filter(**{dimension.column: value})
            elif value == NOTHING:
                rows = rows.filter(**{f"{dimension.column}__isnull": True})
            else:
                rows = (
                    rows.filter(**{dimension.column: int(value)})
                    if value.isdecimal() and len(value) < 19
                    else rows.none()
                )
        return rows


@dataclass(frozen=True)
class Share:
    """A rate and what it is made of. `value` is None where nothing was to be counted: unknown, not 0."""

    key: str
    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """Numerator ÷ denominator."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def shown(self) -> str:
        """`61.8 %`, or — when unknown."""
        return "—" if self.value is None else f"{100 * self.value:.1f} %"


RATES: dict[str, tuple[Text, str, str, Text]] = {
    "response": (
        gettext_lazy("响应率"), "in_time", "due",
        gettext_lazy("在 12345 办理时限内答复的诉求 ÷ 时限已到或者已经答复的诉求"),
    ),
    "resolved": (
        gettext_lazy("解决率"), "solved", "answered",
        gettext_lazy("回访说已解决的诉求 ÷ 回访问到结果的诉求（未接通、拒访不算）；有官方回访的以官方为准，其余以最近一次为准"),
    ),
    "satisfied": (
        gettext_lazy("满意率"), "pleased", "rated",
        gettext_lazy("回访表示满意的诉求 ÷ 回访表了态的诉求；有官方回访的以官方为准，其余以最近一次为准"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """The counts of one value of a dimension (or of everything), and the median time to the reply in hours."""

    value: str
    label: str
    counts: Mapping[str, int]
    weights: Mapping[str, Any]
    median_hours: float | None = None

    def share(self, key: str, *, kept: bool = False) -> Share:
        """One rate; `kept`: without cases left out or put aside."""
        _label, numerator, denominator, _how = RATES[key]
        end = "_kept" if kept else ""
        return Share(key, self.counts.get(f"{numerator}{end}", 0), self.counts.get(f"{denominator}{end}", 0))

    @property
    def shares(self) -> list[tuple[Share, Share]]:
        """The three rates, each with everything and without what was set aside."""
        return [(self.share(key), self.share(key, kept=True)) for key in RATES]

    @property
    def mediation(self) -> Share:
        """调解成功率."""
        return Share("mediation", self.counts.get("settled", 0), self.counts.get("mediated", 0))

    @property
    def score(self) -> float | None:
        """综合得分: the weighted rates without what was set aside, 0 to 100; None while one of them (with a weight) is unknown."""
        total, points = 0, 0.0
        for key, cell in self.weights.items():
            if weight := int(cell["percent"]):
                value = self.share(key, kept=True).value
                if value is None:
                    return None
                total, points = total + weight, points + weight * value
        return 100 * points / total if total else None

    @property
    def score_shown(self) -> str:
        """One decimal, or —."""
        return "—" if self.score is None else f"{self.score:.1f}"

    @property
    def clocks(self) -> list[tuple[str, int, int, int]]:
        """Each kind of period that any case had: its name, kept, breached, still running."""
        found = []
        for kind in ClockKind:
            kept, late, running = (self.counts.get(f"{kind}_{state}", 0) for state in ("kept", "breached", "running"))
            if kept or late or running:
                found.append((kind.value, kept, late, running))
        return found


@dataclass(frozen=True)
class Board:
    """Everything one page of figures shows."""

    period: Period
    meaning: Meaning
    by: str
    lines: Sequence[Line]
    total: Line
    before: Line
    trend: Sequence[tuple[Period, Line]]


def counted(actor: Actor, scope: Scope, period: Period) -> TallyQuerySet:
    """The rows that an actor's figures of a period are counted from."""
    rows = Tally.objects.visible_to(actor).filter(received_on__range=(period.first, period.last))
    return scope.of(rows)


def behind(actor: Actor, scope: Scope, period: Period, measure: str) -> TallyQuerySet:
    """The rows behind one number. Raises KeyError for a measure that there is not."""
    return counted(actor, scope, period).filter(conditions(Meaning.at(period.last))[measure])


def board(actor: Actor, scope: Scope, period: Period, by: str) -> Board:
    """The figures of a period laid out by a dimension, with the total, the period before and the trend. Five queries whatever the number;
    each reads only the period's rows by the index on the day (measured in `benchmarks`)."""
    meaning = Meaning.at(period.last)
    measures = _measures(conditions(meaning))
    weights = meaning.weights.value
    column = DIMENSIONS[by].column
    rows = counted(actor, scope, period).order_by()
    groups = list(rows.values(column).annotate(**measures))
    hours = _hours(rows, column)
    labels = _labels(by, [each[column] for each in groups])
    lines = [
        Line(
            _value(each[column]),
            labels.get(each[column], "—"),
            _counts(each),
            weights,
            median(hours[each[column]]),
        )
        for each in sorted(groups, key=lambda each: (-each["n_received"], str(each[column])))
    ]
    together: Counter[str] = Counter()
    for line in lines:
        together.update(line.counts)
    total = Line("", _("合计"), together, weights, median(_summed(hours.values())))
    trend = _trend(actor, scope, period, meaning)
    return Board(period, meaning, by, lines[:MOST_LINES], total, trend[-2][1], trend)


def _measures(wanted: Mapping[str, Q]) -> dict[str, Count]:
    """Columns of counts; `n_` keeps their names apart from the row's own."""
    return {
        f"n_{name}": Count("pk", filter=condition) if condition else Count("pk") for name, condition in wanted.items()
    }


def _counts(row: Mapping[str, Any]) -> dict[str, int]:
    return {name[2:]: value for name, value in row.items() if name.startswith("n_")}


def _value(key: Any) -> str:
    return NOTHING if key is None else str(key)


def _hours(rows: TallyQuerySet, column: str) -> dict[Any, Counter[int]]:
    """How many cases took how many hours, by the dimension: the whole distribution, from which any database gives the same median."""
    found: dict[Any, Counter[int]] = defaultdict(Counter)
    answered = rows.filter(handling_hours__isnull=False)
    for key, hours, n in answered.values_list(column, "handling_hours").annotate(n=Count("pk")):
        found[key][hours] += n
    return found


def _summed(counters: Iterable[Counter[int]]) -> Counter[int]:
    together: Counter[int] = Counter()
    for each in counters:
        together.update(each)
    return together


def median(hours: Mapping[int, int]) -> float | None:
    """The middle of a distribution {value: how often}; the mean of the two middle ones for an even number; None for nothing."""
    n = sum(hours.values())
    if not n:
        return None
    middle, seen = ((n - 1) // 2, n // 2), 0
    found: list[int] = []
    for value, often in sorted(hours.items()):
        found += [value for place in middle[len(found) :] if place < seen + often]
        seen += often
    return sum(found) / 2


def _labels(by: str, keys: Iterable[Any]) -> dict[Any, str]:
    dimension = DIMENSIONS[by]
    nothing = {None: _("（未填）")}
    if dimension.choices:
        return {**{each.value: str(each.label) for each in dimension.choices}, **nothing}
    wanted = [key for key in keys if key is not None]
    if by == "category":
        return {**dict(Category.objects.filter(pk__in=wanted).values_list("pk", "name")), **nothing}
    names = Organisation.objects.filter(pk__in=wanted).values_list("pk", "short_name", "name")
    return {**{pk: short or name for pk, short, name in names}, **nothing}


def _trend(actor: Actor, scope: Scope, period: Period, meaning: Meaning) -> list[tuple[Period, Line]]:
    """The last periods of the same length, oldest first, by the definitions of the current one, so that they compare."""
    periods = [period]
    wanted_periods = TREND if period.last - period.first < LONG else 2
    while len(periods) < wanted_periods:
        periods.append(periods[-1].before())
    periods.reverse()
    rates = [name for key in RATES for name in RATES[key][1:3]]
    wanted = {"received", *rates, *(f"{name}_kept" for name in rates)}
    measures = _measures({name: each for name, each in conditions(meaning).items() if name in wanted})
    which = Choose(
        *(When(received_on__gte=each.first, then=Value(number)) for number, each in reversed(list(enumerate(periods)))),
        output_field=IntegerField(),
    )
    rows = counted(actor, scope, Period("custom", periods[0].first, period.last)).order_by()
    counts = rows.annotate(which=which).values("which").annotate(**measures)
    grouped = {row["which"]: _counts(row) for row in counts}
    weights = meaning.weights.value
    return [(each, Line("", str(each), grouped.get(number, {}), weights)) for number, each in enumerate(periods)]


def chart_of(found: Board) -> dict[str, Any]:
    """The three rates over the last periods, in percent, for ECharts."""
    rows: list[list[Any]] = [[_("期间"), *(str(label) for label, *_rest in RATES.values()), _("诉求量")]]
    for period, line in found.trend:
        values = [line.share(key).value for key in RATES]
        shown = [None if value is None else round(100 * value, 1) for value in values]
        rows.append([str(period), *shown, line.counts.get("received", 0)])
    lines: list[dict[str, Any]] = [
        {"type": "line", "symbol": symbol, "connectNulls": False} for symbol in ("circle", "rect", "triangle")
    ]
    return {
        "dataset": {"source": rows},
        "xAxis": {"type": "category"},
        "yAxis": [
            {"type": "value", "name": "%", "max": 100, "min": 0},
            {"type": "value", "name": _("件"), "splitLine": {"show": False}},
        ],
        "series": [*lines, {"type": "bar", "yAxisIndex": 1, "itemStyle": {"opacity": 0.35}}],
    }


def sheet_of(found: Board) -> tuple[list[str], Iterator[list[Any]]]:
    """Header and rows of the export: every line and the total, each rate with numerator and denominator, with and without what was set aside."""
    header = [str(DIMENSIONS[found.by].label), _("诉求量"), _("未答复")]
    for label, *_rest in RATES.values():
        header += [str(label), _("%(rate)s分子") % {"rate": label}, _("%(rate)s分母") % {"rate": label}]
        header += [_("%(rate)s（剔除后）") % {"rate": label}, _("剔除后分子"), _("剔除后分母")]
    header += [_("综合得分（工作口径）"), _("办理时长中位数（小时）"), _("剔除"), _("挂账")]
    kinds = [kind for kind, *_n in found.total.clocks]
    header += [f"{ClockKind(kind).label} {word}" for kind in kinds for word in (_("按时"), _("超期"))]
    return header, (_sheet_row(line, kinds) for line in (*found.lines, found.total))


def _sheet_row(line: Line, kinds: Sequence[str]) -> list[Any]:
    row: list[Any] = [line.label, line.counts.get("received", 0), line.counts.get("open", 0)]
    for pair in line.shares:
        for share in pair:
            row += [share.shown, share.numerator, share.denominator]
    row += [line.score_shown, line.median_hours, line.counts.get("excluded", 0), line.counts.get("deferred", 0)]
    return row + [line.counts.get(f"{kind}_{state}", 0) for kind in kinds for state in ("kept", "breached")]


def change(now: Share, before: Share) -> str:
    """比上期高 2.1 个百分点; empty when one of them is unknown."""
    if now.value is None or before.value is None:
        return ""
    points = 100 * (now.value - before.value)
    if abs(points) < 0.05:
        return _("与上期持平")
    word = _("比上期高 %(points)s 个百分点") if points > 0 else _("比上期低 %(points)s 个百分点")
    return word % {"points": f"{abs(points):.1f}"}


def headline(actor: Actor, at: datetime) -> Iterator[Figure]:
    """The three rates of this month for the desk of whoever may see them; none while nothing was received."""
    if not actor.can(May.VIEW_FIGURES):
        return
    today = timezone.localdate(at)
    period = period_of("month", today)
    trend = _trend(actor, Scope(), period, Meaning.at(today))
    now, before = trend[-1][1], trend[-2][1]
    if not now.counts.get("received"):
        return
    for key, (label, _numerator, _denominator, how) in RATES.items():
        share = now.share(key)
        yield Figure(
            label=_("本月%(rate)s") % {"rate": label}, value=None if share.value is None else share.shown,
            definition=f"{how}{_('（工作口径）。')}", numerator=f"{share.numerator:,}", denominator=f"{share.denominator:,}",
            trend=change(share, before.share(key)), url=reverse("complaints:figures"), order=60,
        )  # fmt: skip
