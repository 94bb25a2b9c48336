"""What is read out of texts with, loaded once per process: names of merchants, malls, streets and roads, and the model in use.

Names are looked at again every five minutes and rebuilt where the register changed; a model is known by its digest and never changes.
"""

import logging
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max

from xiezhi.domains.complaints.models import ModelUse, TextModel
from xiezhi.domains.registry.models import Premises, Subject, Tenancy
from xiezhi.engines.text.errors import InvalidInput
from xiezhi.engines.text.model import Model
from xiezhi.engines.text.modelfile import load
from xiezhi.engines.text.names import NameIndex
from xiezhi.foundation.orgs.models import Organisation

log = logging.getLogger(__name__)
LOOK_AGAIN_SECONDS = 300.0
MOST_MODELS = 2
ROAD = re.compile(r"[\u4e00-\u9fff]{1,6}?(?:大街|胡同|路|街|巷|里|道)(?![\u4e00-\u9fff]*街道)")


@dataclass(frozen=True)
class Names:
    """Known names. Streets and malls are (`street` or `mall`, key); `roads`: how many doors of each street stand on a road."""

    subjects: NameIndex[int]
    bodies: NameIndex[tuple[str, int]]
    words: Mapping[tuple[str, int], str]
    roads: Mapping[str, Counter[int]]


@dataclass
class _Process:
    lock: threading.Lock = field(default_factory=threading.Lock)
    names: Names | None = None
    stamp: Any = None
    looked_at: float = 0.0
    models: dict[str, Model] = field(default_factory=dict)


_here = _Process()


def forget() -> None:
    """Start afresh, as a new process would."""
    with _here.lock:
        _here.names, _here.stamp, _here.looked_at, _here.models = None, None, 0.0, {}


def names() -> Names:
    """The names of the register as it stood at most five minutes ago. Building takes about a second for 50,000 subjects."""
    with _here.lock:
        now = time.monotonic()
        if _here.names is None or now - _here.looked_at > LOOK_AGAIN_SECONDS:
            stamp = _stamp()
            if _here.names is None or stamp != _here.stamp:
                _here.names, _here.stamp = _read_names(), stamp
            _here.looked_at = now
        return _here.names


def _stamp() -> tuple[Any, ...]:
    subjects = Subject.objects.aggregate(n=Count("pk"), last=Max("updated_at"))
    return (
        *subjects.values(),
        Premises.objects.count(),
        *Tenancy.objects.aggregate(n=Count("pk"), last=Max("pk")).values(),
        Organisation.objects.filter(kind__in=[Organisation.Kind.STREET, Organisation.Kind.ENTERPRISE]).count(),
    )


def _read_names() -> Names:
    streets = Organisation.objects.filter(kind=Organisation.Kind.STREET)
    malls = Organisation.objects.filter(tenancies__isnull=False).distinct()
    bodies: list[tuple[tuple[str, int], str]] = []
    for kind, found in (("street", streets), ("mall", malls)):
        for key, name, short in found.values_list("pk", "name", "short_name"):
            bodies += [((kind, key), each) for each in dict.fromkeys((name, short)) if each]
    roads: dict[str, Counter[int]] = defaultdict(Counter)
    for address, street in Premises.objects.filter(is_open=True).values_list("address", "street_id"):
        if hit := road_in(address):
            roads[hit][street] += 1
    subjects = Subject.objects.filter(status=Subject.Status.ACTIVE).order_by("pk").values_list("pk", "name")
    return Names(NameIndex(subjects.iterator()), NameIndex(bodies), dict(reversed(bodies)), dict(roads))


def road_in(address: str) -> str:
    """The road that an address names, without district and street before it; empty where none is told."""
    plain = re.sub(r"^.*?(?:街道|地区|镇|乡|区(?=[\u4e00-\u9fff]))", "", address)
    hit = ROAD.search(plain)
    return hit.group() if hit and len(hit.group()) > 1 else ""


def use_now() -> ModelUse | None:
    """Which model the district chose last; None before any choice."""
    return ModelUse.objects.select_related("model").defer("model__data").order_by("-pk").first()


def model_in_use() -> tuple[TextModel, Model] | None:
    """The version in use and the model itself; None where categories come by keyword."""
    use = use_now()
    if use is None or use.model is None:
        return None
    with _here.lock:
        known = _here.models.get(use.model.digest)
        if known is None:
            data = TextModel.objects.filter(pk=use.model.pk).values_list("data", flat=True).get()
            try:
                known = load(bytes(data))
            except InvalidInput:
                log.exception("model v%s in the database cannot be read; categories come by keyword", use.model.version)
                return None
            while len(_here.models) >= MOST_MODELS:
                _here.models.pop(next(iter(_here.models)))
            _here.models[use.model.digest] = known
    return use.model, known
