"""A small district whose planner and registrar may import streets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from openpyxl import Workbook

from tests.builders.cast import Cast, make_cast
from tests.foundation.imports import toy
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.access.services import actor_for
from xiezhi.foundation.imports import specs


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Iterator[None]:
    """Both toy specs, and three roles that may use them."""
    settings.MEDIA_ROOT = tmp_path / "files"
    monkeypatch.setattr(specs, "_specs", dict(specs._specs))
    toy.register_toys()
    for role in ("planner", "head", "registrar"):
        cls = roles()[role]
        monkeypatch.setattr(cls, "permissions", cls.permissions | {toy.PERMISSION})
    toy.hooks.clear()
    yield
    toy.hooks.clear()


def cast_with_permission() -> Cast:
    cast = make_cast()
    for name, person in cast.people.items():
        cast.actors[name] = actor_for(person.memberships.select_related("organisation").get())
    return cast


@pytest.fixture
def cast(db: None, toys: None) -> Cast:
    return cast_with_permission()


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., ContentFile]:
    """`workbook(rows, header=…)`: an upload of these rows under the toy's header."""

    def make(rows: list[list[Any]], header: list[str] = toy.HEADER, name: str = "街道表.xlsx") -> ContentFile:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for row in [header, *rows]:
            sheet.append(row)
        path = tmp_path / "made.xlsx"
        book.save(path)
        return ContentFile(path.read_bytes(), name=name)

    return make
