"""So many cases over three years, as a district's desk would have them: each goes its way step by step, and stands where it has come to by now.

Whoever is in them is invented; telephone numbers are of a range that is not given out. The same seed and moment make the same cases.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from benchmarks.complaints import nearness
from benchmarks.complaints.district import District, Firm
from benchmarks.complaints.sheets import Sheet, WithoutIndexes

DAYS = 3 * 365
CHUNK = 10_000
KINDS = {"complaint": 54, "report": 20, "consultation": 14, "help": 9, "suggestion": 3}
CHANNELS = {"12345": 62, "12315": 20, "12315_phone": 3, "window": 3, "post": 1, "web": 7, "email": 2, "open311": 2}
LEADS = ("web", "email", "open311")
PREFIXES = {"12345": "YS", "12315": "Y15", "other": "YO"}
CATEGORIES = {
    "prepaid": 14, "food_safety": 12, "after_sales": 12, "service": 10, "online": 9, "price": 8, "quality": 8, "catering": 5,
    "contract_terms": 4, "advertising": 4, "counterfeit": 3, "short_weight": 3, "drug": 2, "lift": 2, "licence": 2,
    "registration": 2, "cosmetics": 1, "food_label": 1, "ip": 1, "special_equipment": 1, "other": 3,
}  # fmt: skip
DEMANDS = ("refund", "return", "exchange", "repair", "compensate", "perform", "apology", "other")
CALLBACKS = {"resolved": 62, "partly": 15, "unresolved": 14, "declined": 9}
CONTENT = {"resolved": (80, 16, 4), "partly": (20, 50, 30), "unresolved": (4, 16, 80)}
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫"
PHONES = 180_000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REPLY = "您好，您反映的问题已经核实办理，商家已经按照约定处理，相关情况已经向您说明。如有新的情况，请继续与我们联系。"


@dataclass
class Path:
    """What happened to a case, and when; steps that lie ahead are left out."""

    status: str
    outcome: str = ""
    steps: dict[str, datetime] = field(default_factory=dict)


class Generator:
    """Rows of `count` cases up to `now`, into the sheets of their tables."""

    def __init__(self, *, district: District, count: int, seed: int, now: datetime) -> None:
        from xiezhi.domains.complaints import models
        from xiezhi.domains.complaints.services.reckoning import Reckoning

        self.rng, self.district, self.count, self.now = random.Random(seed), district, count, now
        self.reckoning = Reckoning()
        self.categories = {each.code: each for each in models.Category.objects.all()}
        names = (
            "Case", "ComplaintParty", "ExternalNumber", "TierChange", "CaseEvent", "Clock", "Reply", "Callback", "MallRequest",
            "Mediation", "Application",
        )  # fmt: skip
        self.sheets = {name: Sheet(getattr(models, name)) for name in names}
        self.people: dict[int, tuple[str, str, str, str, str]] = {}
        self.unit_of_street = {street: station for street, (station, _people) in district.stations.items()}
        self.recent: deque[tuple[int, Firm, nearness.What]] = deque(maxlen=400)
        self.years: dict[int, int] = {}

    # When

    def moments(self) -> Iterator[datetime]:
        """When each was received, oldest first: more every year, fewer at weekends, in the evening and in February."""
        first = (self.now - DAYS * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        days = [first + number * DAY for number in range(DAYS)]
        weights = [
            (1 + 0.4 * number / DAYS)
            * (0.6 if day.weekday() > 4 else 1.0)
            * (1 + 0.2 * math.sin(day.timetuple().tm_yday / 58))
            for number, day in enumerate(days)
        ]
        scale, owed, made = self.count / sum(weights), 0.0, 0
        for number, (day, weight) in enumerate(zip(days, weights, strict=True)):
            owed += weight * scale
            due = self.count if number == DAYS - 1 else round(owed)
            hours = sorted(self.rng.triangular(0, 24, 14) for _ in range(due - made))
            made = due
            yield from (min(day + hour * HOUR, self.now - HOUR / 60) for hour in hours)

    # Who and what

    def person(self) -> tuple[str, str, str, str, str]:
        """Name, sealed number, its digest, address, its digest. Some people call often."""
        from xiezhi.domains.complaints.services.people import digest, phone_digest
        from xiezhi.foundation.privacy.sealing import seal

        number = self.rng.randrange(300) if self.rng.random() < 0.015 else self.rng.randrange(PHONES)
        if number not in self.people:
            phone, address = f"1990{number:07d}", f"演示路{number % 900}号"
            name = f"演示{SURNAMES[number % len(SURNAMES)]}某"
            self.people[number] = (name, seal(phone), phone_digest(phone), address, digest("address", address))
        return self.people[number]

    def path(self, kind: str, lead: bool, at: datetime) -> Path:
        """Its way through the desk; cut off at this moment."""
        rng, steps = self.rng, []
        when = at
        if lead:
            steps.append(("lead", "", when))
            when += rng.uniform(0.05, 2) * DAY
            if rng.random() < 0.25:
                return self._so_far([*steps, ("dismissed", "closed_at", when)], "")
        steps.append(("registered", "registered_at", when))
        if not lead and rng.random() < 0.02:
            return self._so_far([*steps, ("merged", "closed_at", when + rng.uniform(0.1, 3) * HOUR)], "")
        when += rng.uniform(0.3, 6) * HOUR
        steps.append(("dispatched", "dispatched_at", when))
        when += rng.uniform(0.5, 12) * HOUR
        steps.append(("handling", "signed_at", when))
        outcome = rng.choices(("answered", "referred"), (8, 2))[0]
        if rng.random() < 0.0015:
            return self._so_far(steps, "")  # nobody goes on with it
        if kind == "complaint":
            when += rng.uniform(0.3, 7) * DAY
            if rng.random() < 0.12:
                outcome = "refused"
            else:
                steps.append(("mediating", "accepted_at", when))
                when += min(rng.expovariate(1 / 9) + 0.5, 70) * DAY
                outcome = rng.choices(("settled", "terminated"), (7, 3))[0]
            steps.append(("concluded", "concluded_at", when))
            when += rng.uniform(0.5, 20) * HOUR
        else:
            when += min(rng.expovariate(1 / (6 if kind == "report" else 2.5)) + 0.1, 40) * DAY
            if kind == "report":
                outcome = rng.choices(("verified", "unfounded"), (4, 6))[0]
        steps.append(("replied", "replied_at", when))
        steps.append(("closed", "closed_at", when + rng.uniform(1, 6) * DAY))
        return self._so_far(steps, outcome)

    def _so_far(self, steps: list[tuple[str, str, datetime]], outcome: str) -> Path:
        done = [each for each in steps if each[2] <= self.now]
        names = {status for status, _column, _at in done}
        known = outcome if names & {"concluded", "replied"} else ""
        return Path(done[-1][0], known, {column: at for _status, column, at in done if column})

    def firm(self) -> Firm | None:
        """The few that are complained of often, the many that are not, or one that nobody knows."""
        chance = self.rng.random()
        if chance < 0.28:
            return None
        return self.district.firms[int(self.rng.random() ** 2.2 * len(self.district.firms))]

    # The rows of one case

    def add(self, at: datetime) -> None:
        """One case that was received at `at`, with all that belongs to it."""
        from xiezhi.domains.complaints.texts import heading, search_words

        rng = self.rng
        kind, channel, code = _one(rng, KINDS), _one(rng, CHANNELS), _one(rng, CATEGORIES)
        lead = channel in LEADS
        path, firm, key = self.path(kind, lead, at), self.firm(), self.sheets["Case"].next
        category = self.categories[code]
        parent, what = self._group(firm)
        shop = firm.number if firm else rng.randrange(400)
        text = nearness.case(rng, shop, what)
        other = rng.random() < 0.08
        street = firm.street if firm else rng.choice([*self.unit_of_street])
        unit = rng.choice(self.district.others) if other else self.unit_of_street[street]
        went_out = "dispatched_at" in path.steps
        officer = None if other or "signed_at" not in path.steps else rng.choice(self.district.stations[street][1])
        register = channel if channel in {"12345", "12315"} else "12345" if "registered_at" in path.steps else ""
        number = f"{PREFIXES[register]}{at:%Y}{key:08d}" if register else ""
        name = firm.name if firm else nearness.merchant_name(shop)
        title, own = heading(text), self.own_number(at)
        place = firm.address if firm else f"演示路{rng.randrange(900)}号"
        merged = self._earlier(path, key)
        due = self.clocks(key, kind, category.tier, at, path, mall=0) if register else None
        shown = rng.random() < 0.5 and firm
        self.sheets["Case"].add(
            number=own, kind=kind, channel=channel, status=path.status, outcome=path.outcome, title=title, description=text,
            demand="investigate" if kind == "report" else rng.choice(DEMANDS), category_id=category.pk,
            urgency=rng.choices(("normal", "urgent", "emergency"), (94, 5, 1))[0], tier=category.tier, safety=category.safety,
            hostile=rng.random() < 0.06, received_at=at, arrived_at=min(at + 0.2 * HOUR, self.now),
            subject_id=firm.subject if firm else None, premises_id=firm.premises if firm else None,
            respondent_name=name, respondent_address=place, mall_id=firm.mall if firm else None, street_id=street, place=place,
            longitude=firm.longitude if firm and shown else None, latitude=firm.latitude if firm and shown else None,
            first_receiver_id=unit if went_out else None, unit_id=unit if went_out else None,
            unit_department_id=(unit if other else self.district.bureau) if went_out else None, officer_id=officer,
            duplicate_of_id=merged, parent_id=None if merged else parent, next_due_at=due,
            refusal_ground="16-3" if path.outcome == "refused" else "",
            end_ground="23-3" if path.outcome == "terminated" else "",
            search=" ".join(search_words(own, title, name, place, number, *((firm.name, firm.code) if firm else ()))),
            **path.steps,
        )  # fmt: skip
        self.person_of(key)
        if register:
            self.sheets["ExternalNumber"].add(
                case_id=key, register=register, number=number, recorded_at=path.steps["registered_at"]
            )
            self.sheets["TierChange"].add(
                case_id=key, tier=category.tier, reason="登记时按类别和紧急程度确定", at=path.steps["registered_at"]
            )
        self.story(key, at, path, unit, officer)
        self.handled(key, kind, firm, path, officer or rng.choice(self.district.dispatchers))
        if firm:
            self.recent.append((key, firm, what))

    def own_number(self, at: datetime) -> str:
        """As the desk gives them out."""
        self.years[at.year] = self.years.get(at.year, 0) + 1
        return f"S{at.year}-{self.years[at.year]:06d}"

    def _earlier(self, path: Path, key: int) -> int | None:
        return max(1, key - self.rng.randrange(1, 500)) if path.status == "merged" and key > 1 else None

    def _group(self, firm: Firm | None) -> tuple[int | None, nearness.What]:
        """One in twenty tells what somebody else told lately of the same firm, and joins that case."""
        if firm and self.rng.random() < 0.05:
            for key, other, what in reversed(self.recent):
                if other is firm:
                    return key, what
        return None, nearness.matter(self.rng)

    def person_of(self, case: int) -> None:
        rng = self.rng
        nameless = rng.random() < 0.04
        name, phone, phone_key, address, address_key = self.person()
        self.sheets["ComplaintParty"].add(
            case_id=case, role="person", name="" if nameless else name, phone="" if nameless else phone,
            phone_digest="" if nameless else phone_key, address="" if nameless else address,
            address_digest="" if nameless else address_key, anonymous=nameless, identity_checked=False,
            may_call_back=not nameless and rng.random() < 0.97,
        )  # fmt: skip

    def clocks(self, case: int, kind: str, tier: str, at: datetime, path: Path, mall: int) -> datetime | None:
        """The periods that run on it; the earliest that is still open."""
        ended = path.steps.get("replied_at") or path.steps.get("closed_at")
        begun = [("tier", at, ended)]
        if kind == "complaint":
            decided = path.steps.get("accepted_at") or path.steps.get("concluded_at") or ended
            begun.append(("decide", at, decided))
            if accepted := path.steps.get("accepted_at"):
                begun.append(("mediate", accepted, path.steps.get("concluded_at")))
        elif kind == "report":
            begun.append(("report", at, ended))
        open_until = [due for each in begun if (due := self._clock(case, tier, *each)) is not None]
        return min(open_until, default=None)

    def _clock(self, case: int, tier: str, kind: str, at: datetime, met: datetime | None) -> datetime | None:
        from xiezhi.domains.complaints.models import Clock

        measure = self.reckoning.measure(kind, tier=tier, started_at=at)
        length, unit = measure.period.length, measure.period.unit.value
        due = self.reckoning.due(Clock(kind=kind, length=length, unit=unit, started_at=at))
        late = (met or self.now) > due.at
        self.sheets["Clock"].add(
            case_id=case, kind=kind, rule_version_id=measure.reading.version_id, length=length, unit=unit, started_at=at,
            due_at=due.at, provisional=due.provisional, met_at=met, breached_at=due.at if late else None, step=3,
            next_step_at=due.at if met is None and not late else None,
        )  # fmt: skip
        return due.at if met is None else None

    def story(self, case: int, at: datetime, path: Path, unit: int, officer: int | None) -> None:
        """One line a step, as the services tell it."""
        told: dict[str, tuple[str, str]] = {
            "registered_at": ("registered", "登记"), "dispatched_at": ("dispatched", f"派给{self.district.short_names[unit]}"),
            "signed_at": ("signed", "签收"), "accepted_at": ("accepted", "受理投诉（第十五条）"),
            "concluded_at": ("settled", "办理完毕"), "replied_at": ("replied", "答复诉求人"), "closed_at": ("closed", "办结"),
        }  # fmt: skip
        add = self.sheets["CaseEvent"].add
        add(case_id=case, at=at, kind="received", title="收到", public=True)
        for column, moment in path.steps.items():
            kind, title = told[column]
            by = officer if column in {"signed_at", "accepted_at", "concluded_at", "replied_at"} else None
            add(
                case_id=case, at=moment, kind=kind, title=title, by_id=by, organisation_id=unit if by else None,
                public=column != "closed_at",
            )  # fmt: skip

    def handled(self, case: int, kind: str, firm: Firm | None, path: Path, by: int) -> None:
        """Replies, callbacks, mediations, what malls were asked, and applications."""
        rng, steps = self.rng, path.steps
        if accepted := steps.get("accepted_at"):
            concluded = steps.get("concluded_at")
            self.sheets["Mediation"].add(
                case_id=case, form=rng.choice(("on_site", "remote", "remote")), held_at=(concluded or accepted + 5 * DAY),
                place="演示调解室", mediators="演示调解员", told_at=accepted, recorded_at=concluded,
                result=("agreed" if path.outcome == "settled" else "not_agreed") if concluded else "",
            )  # fmt: skip
        if firm and firm.mall and "signed_at" in steps and kind != "report" and rng.random() < 0.5:
            asked = steps["signed_at"]
            answered = asked + min(rng.expovariate(1 / 14), 60) * HOUR
            done = answered <= self.now
            self.sheets["MallRequest"].add(
                case_id=case, mall_id=firm.mall, told="请协助处理消费者反映的问题。", asked_at=asked, due_at=asked + DAY,
                answer="已联系商户协商处理。" if done else "", answered_at=answered if done else None,
            )  # fmt: skip
        if rng.random() < 0.022:
            self._applied(case, steps)
        if replied := steps.get("replied_at"):
            self.sheets["Reply"].add(case_id=case, text=REPLY, by_id=by, at=replied, way="phone")
            if rng.random() < 0.82:
                self._called_back(case, replied)

    def _applied(self, case: int, steps: dict[str, datetime]) -> None:
        if signed := steps.get("signed_at"):
            decided = signed + self.rng.uniform(0.2, 4) * DAY
            done = decided <= self.now
            self.sheets["Application"].add(
                case_id=case, purpose=self.rng.choices(("exclude", "defer"), (7, 3))[0], reason="演示：诉求内容不属于本区",
                asked_by_id=self.district.heads[1], asked_at=signed, granted=self.rng.random() < 0.7 if done else None,
                decided_by_id=self.district.dispatchers[0] if done else None, decided_at=decided if done else None,
                review_on=(signed + 90 * DAY).date(),
            )  # fmt: skip

    def _called_back(self, case: int, replied: datetime) -> None:
        rng, when = self.rng, replied + self.rng.uniform(0.2, 4) * DAY
        outcomes = ["no_answer"] * (rng.random() < 0.18) + [_one(rng, CALLBACKS)] * (rng.random() < 0.94)
        for outcome in outcomes:
            if when > self.now:
                return
            told = rng.choices(("satisfied", "fair", "dissatisfied"), CONTENT[outcome])[0] if outcome in CONTENT else ""
            self.sheets["Callback"].add(case_id=case, at=when, outcome=outcome, satisfaction=told, recorded_at=when)
            when += rng.uniform(0.5, 3) * DAY


def _one(rng: random.Random, shares: dict[str, int]) -> str:
    return rng.choices([*shares], [*shares.values()])[0]


def pour(address: str, generator: Generator, *, say: Callable[[str], None]) -> None:
    """Every case into the database at `address`."""
    from xiezhi.domains.complaints.models import NumberSeries

    sheets = generator.sheets.values()
    with psycopg.connect(address, autocommit=True) as connection:
        with WithoutIndexes(connection, [each.table for each in sheets]):
            for number, at in enumerate(generator.moments(), 1):
                generator.add(at)
                if number % CHUNK == 0:
                    for sheet in sheets:
                        sheet.pour(connection)
                    if number % (10 * CHUNK) == 0:
                        say(f"{number:,} cases")
            for sheet in sheets:
                sheet.pour(connection)
            say("making the indexes")
        for sheet in sheets:
            sheet.close(connection)
        NumberSeries.objects.bulk_create(NumberSeries(year=year, last=last) for year, last in generator.years.items())
        connection.execute("VACUUM (ANALYZE)")


def pour_beside(address: str, *, now: datetime, say: Callable[[str], None]) -> None:
    """What the desk keeps beside its cases: the keys by which the same matter is found, and the rows that figures are counted from."""
    from xiezhi.domains.complaints.models import Case, CaseKey
    from xiezhi.domains.complaints.queries.likeness import facts_of, text_of
    from xiezhi.domains.complaints.services import tallies
    from xiezhi.engines.text.nearness import stored_keys

    table = CaseKey._meta.db_table
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        statement = sql.SQL("COPY {} (key, case_id) FROM STDIN").format(sql.Identifier(table))
        with WithoutIndexes(connection, [table]), connection.cursor() as cursor, cursor.copy(statement) as copy:
            for case in Case.objects.order_by("pk").iterator(chunk_size=5_000):
                for key in stored_keys(text_of(case), facts_of(case)):
                    copy.write_row((key, case.pk))
        say("keys")
        tallies.recount_all(at=now)
        say("rows for the figures")
        connection.execute("VACUUM (ANALYZE)")
