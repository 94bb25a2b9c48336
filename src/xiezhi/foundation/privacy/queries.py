"""Who is found by what, what is past its time, and why something stays."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.foundation.privacy.holdings import Datum, Holding, all_holdings
from xiezhi.foundation.privacy.models import Request
from xiezhi.foundation.rules.queries import Reading, reading

MOST_FOUND = 500


def phone_key(number: str) -> str:
    """What two ways of writing one number have in common: its digits, without +86."""
    digits = re.sub(r"\D", "", number)
    return re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits)


def rows_of(request: Request) -> Iterator[tuple[Holding, Any]]:
    """Every row that what the request seeks occurs in, exactly; nothing once it is done. At most `MOST_FOUND` of each table."""
    if not request.sought:
        return
    for holding in all_holdings():
        asked = Q()
        for name, datum in holding.fields.items():
            if datum.find == request.found_by:
                asked |= _equals(name, datum, request.sought)
        if asked:
            manager: Any = holding.table._default_manager
            for row in manager.filter(asked).order_by("pk")[:MOST_FOUND]:
                yield holding, row


def _equals(name: str, datum: Datum, sought: str) -> Q:
    if datum.digest and datum.digest_of:
        key = datum.digest_of(sought)
        return Q(**{datum.digest: key}) if key else Q(pk__in=[])
    return Q(**{name: sought})


def duty_of(holding: Holding, row: Any, at: datetime) -> str:
    """Why the row must be kept now; empty where it may be erased."""
    if holding.duty is None:
        return str(holding.keeps) or _("没有可以单独删除的内容。")
    return holding.duty(row, at)


def keeping_rule(holding: Holding, at: datetime) -> Reading[int] | None:
    """How many years the rows keep it after their need ended, as the rule stands on that day; None without a rule."""
    return reading(holding.rule, on=timezone.localdate(at)) if holding.rule else None


def years_before(at: datetime, years: int) -> datetime:
    """The same moment `years` earlier; 28 February for a 29th."""
    day = 28 if (at.month, at.day) == (2, 29) else at.day
    return at.replace(year=at.year - years, day=day)


def past_retention(holding: Holding, at: datetime) -> QuerySet[Any]:
    """Rows whose time is over and that still hold something."""
    rule, manager = keeping_rule(holding, at), holding.table._default_manager
    if rule is None or holding.ended is None:
        return manager.none()
    return holding.ended(years_before(timezone.localtime(at), rule.value))


@dataclass(frozen=True)
class Expiring:
    """One line of the dry run: how many rows would be erased at the next turn."""

    holding: Holding
    rule: Reading[int]
    count: int


def dry_run(at: datetime) -> list[Expiring]:
    """What the next turn of the ticker would erase, by table."""
    return [
        Expiring(holding, rule, past_retention(holding, at).count())
        for holding in all_holdings()
        if (rule := keeping_rule(holding, at)) is not None
    ]
