from collections.abc import Iterator
from datetime import date

import pytest

from tests.builders.cast import NOW, Cast, make_cast
from tests.builders.complaints import Desk
from tests.builders.registry import a_subject
from xiezhi.domains.complaints.queries.loaded import forget
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.services.tenancies import register_tenancy


@pytest.fixture(autouse=True)
def own_process() -> Iterator[None]:
    """Names and models are loaded once per process; each test has a register of its own."""
    forget()
    yield
    forget()


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(with_password=())


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return Desk(cast)


@pytest.fixture
def subject_in_mall(desk: Desk) -> Subject:
    """A merchant with one door that rents in the desk's mall."""
    subject = a_subject(desk.cast, 77, "演示金榆健身有限公司")
    register_tenancy(
        mall=desk.mall,
        subject=subject,
        unit="B1-07",
        starts_on=date(2026, 1, 1),
        actor=desk.cast.actor("registrar"),
        at=NOW,
    )
    return subject
