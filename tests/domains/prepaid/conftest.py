from collections.abc import Callable
from typing import Any

import pytest

from tests.builders.cast import Cast, make_cast
from tests.builders.prepaid import World


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def make_world(cast: Cast) -> Callable[..., World]:
    """`make_world(industry="youth_sports")`: a merchant with its people."""

    def make(**facts: Any) -> World:
        return World(cast, **facts)

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def other_world(make_world: Callable[..., World]) -> World:
    return make_world()
