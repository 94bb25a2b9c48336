import pytest

from tests.builders.cast import NOW, Cast, make_cast
from xiezhi.domains.inspections.permissions import InspectionPermission
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.notices.services import mark_read, notify, people_holding

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def test_a_notice_arrives_once_per_key(cast: Cast) -> None:
    person = cast.people["scjg.head"].pk
    assert notify([person, person], key="demo:1", title="演示", at=NOW) == 1
    assert notify([person], key="demo:1", title="演示", at=NOW) == 0
    assert Notice.objects.get().recipient_id == person


def test_people_are_found_by_permission_and_place(cast: Cast) -> None:
    confirm = InspectionPermission.CONFIRM.value
    assert people_holding(confirm, organisation_ids=[cast["scjg"].pk], at=NOW) == [cast.people["scjg.head"].pk]
    assert people_holding(confirm, organisation_ids=None, at=NOW) == []
    run = InspectionPermission.RUN_ROUND.value
    assert people_holding(run, organisation_ids=None, at=NOW) == [cast.people["coordinator"].pk]


def test_a_person_reads_only_their_own(cast: Cast) -> None:
    mine, other = cast.people["scjg.head"].pk, cast.people["xfjy.head"].pk
    notify([mine, other], key="demo:1", title="演示", at=NOW)
    foreign = Notice.objects.get(recipient_id=other)
    assert mark_read(notice_ids=[foreign.pk], actor=cast.actor("scjg.head"), at=NOW) == 0
    assert mark_read(notice_ids=None, actor=cast.actor("scjg.head"), at=NOW) == 1
    assert list(Notice.objects.filter(read_at=None)) == [foreign]
