"""The figures' page and the panel of suggestions and duplicates, one request after another, among the kept cases."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.complaints import nearness
from benchmarks.complaints.load import quantile
from benchmarks.complaints.site import migrated, running

FIGURES = "/desk/complaints/figures/"
ROUNDS = 12


def measure(folder: Path) -> None:
    """Print median and p95 of pages as a dispatcher and an officer open them. Raises SystemExit where nothing is kept beside the cases."""
    with running(folder):
        migrated()
        from django.conf import settings
        from django.test import Client
        from django.urls import reverse
        from django.utils import timezone

        from xiezhi.domains.complaints.models import Case, CaseKey, Tally
        from xiezhi.foundation.accounts.models import User

        settings.ALLOWED_HOSTS = ["*"]
        people = {name: Client() for name in ("dispatch0", "officer0")}
        for name, client in people.items():
            client.force_login(User.objects.get(username=name))
        print(f"{Case.objects.count()} cases, {Tally.objects.count()} rows for the figures", flush=True)
        year = f"period=custom&from_day={timezone.localdate() - timedelta(days=365)}&to_day={timezone.localdate()}"
        for what in ("period=month", "period=quarter&by=street", f"{year}&by=category", f"{year}&by=mall"):
            for name, client in people.items():
                tell(
                    f"figures, {what}, {name}",
                    [spent(lambda client=client, what=what: client.get(f"{FIGURES}?{what}")) for _ in range(ROUNDS)],
                )
        print(f"{'no ' if not CaseKey.objects.exists() else ''}keys of the cases' texts", flush=True)
        rng, look = random.Random(3), reverse("complaints:look")
        asked = [nearness.case(rng, rng.randrange(8000), nearness.matter(rng)) for _ in range(40)]
        client = people["dispatch0"]
        for length in (20, 40, 200):
            sent = [{"description": each[:length], "kind": "complaint", "channel": "12345"} for each in asked]
            client.post(look, sent[0])
            tell(
                f"panel while typing, {length} characters",
                [spent(lambda each=each: client.post(look, each)) for each in sent],
            )


def spent(ask: Callable[[], Any]) -> float:
    """Milliseconds of one request; it must have been answered with a page."""
    began = time.perf_counter()
    answer = ask()
    taken = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise SystemExit(f"answered {answer.status_code}")
    return taken


def tell(name: str, taken: list[float]) -> None:
    print(f"{name:45} p50 {quantile(taken, 0.5):6.0f} ms   p95 {quantile(taken, 0.95):6.0f} ms", flush=True)
