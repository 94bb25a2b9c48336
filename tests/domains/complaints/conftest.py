import pytest

from tests.builders.cast import Cast, make_cast
from tests.builders.complaints import Desk


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(with_password=())


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return Desk(cast)
