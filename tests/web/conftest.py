from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from tests.builders.cast import Cast, make_cast
from xiezhi.foundation.ui import navigation


@pytest.fixture
def cast(db: None) -> Cast:
    """The fixed cast."""
    return make_cast()


@pytest.fixture
def client_of(cast: Cast) -> Callable[[str], Client]:
    """`client_of("scjg.head")`: a browser in which that person is logged in."""

    def log_in(username: str) -> Client:
        client = Client()
        client.force_login(cast.people[username])
        return client

    return log_in


@pytest.fixture
def no_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Navigation without the rooms' counts, so that a page's own queries can be counted."""
    items = {name: replace(item, count=None) for name, item in navigation._items.items()}
    monkeypatch.setattr(navigation, "_items", items)
