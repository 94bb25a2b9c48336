"""The lists that come with a release: categories and reply templates. What a district has under the same code is left as it is."""

import csv
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from xiezhi.domains.complaints.models import Category, ReplyTemplate

DATA = Path(__file__).resolve().parents[1] / "data"


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def load_published_lists(*, using: str) -> int:
    """Add the categories and templates that the database does not have; returns how many were new.

    Part of setting up a database, before anybody acts in it, hence neither actor nor audit entry.
    """
    with transaction.atomic(using=using):
        known = set(Category.objects.using(using).values_list("code", flat=True))
        categories = [
            Category(**{**row, "safety": row["safety"] == "1"})
            for row in _rows("categories.csv")
            if row["code"] not in known
        ]
        Category.objects.using(using).bulk_create(categories)
        have = set(ReplyTemplate.objects.using(using).values_list("code", flat=True))
        templates = [
            ReplyTemplate(**{**row, "text": row["text"].replace("\\n", "\n")})
            for row in _rows("reply_templates.csv")
            if row["code"] not in have
        ]
        ReplyTemplate.objects.using(using).bulk_create(templates)
        return len(categories) + len(templates)
