from datetime import date

import pytest

from tests.builders.cast import NOW, TODAY, make_cast
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.orgs.models import Officer, Organisation
from xiezhi.foundation.orgs.permissions import OrgsPermission
from xiezhi.foundation.orgs.services import certify_officer, create_organisation, update_officer
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db
KEEPER = Actor(role="administrator", permissions=frozenset(OrgsPermission.values), district_wide=True)


@pytest.fixture
def cast():
    return make_cast()


def found(cast, **changes):
    values = {
        "kind": "department", "code": "yjgl", "name": "演示区应急管理局", "short_name": "应急局",
        "parent": cast.district, "qualified": True, "actor": KEEPER, "at": NOW,
    }  # fmt: skip
    return create_organisation(**{**values, **changes})


def certify(cast, **changes):
    values = {
        "name": "演示甲", "department": cast["scjg"], "certificate_number": "DEMO-X-1",
        "certificate_from": date(2025, 1, 1), "certificate_to": date(2026, 11, 23), "actor": KEEPER, "at": NOW,
    }  # fmt: skip
    return certify_officer(**{**values, **changes})


def test_organisations_are_created_in_their_place(cast):
    department = found(cast)
    station = found(
        cast,
        kind="station",
        code="yjgl-1",
        name="金榆应急所",
        short_name="金榆应急所",
        parent=department,
        street=cast["110199001"],
    )
    assert department.department_id == department.pk == station.department_id
    assert Entry.objects.filter(action="orgs.organisation_created").count() == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"code": "scjg"}, "代码"),
        ({"name": "演示区市场监管局"}, "名称"),
        ({"short_name": ""}, "简称"),
        ({"kind": "office"}, "类别"),
        ({"parent": None}, "上级应是：区"),
        ({"kind": "district"}, "上级应是：（无）"),
        ({"kind": "station"}, "上级应是：部门"),
    ],
)
def test_an_organisation_that_does_not_fit_is_refused(cast, changes, message):
    before = Organisation.objects.count()
    with pytest.raises(Refused, match=message):
        found(cast, **changes)
    assert Organisation.objects.count() == before


def test_a_station_needs_its_street(cast):
    with pytest.raises(Refused, match="所在的街道"):
        found(cast, kind="station", parent=cast["scjg"])


def test_only_the_district_creates_organisations(cast):
    own = Actor(role="x", permissions=frozenset(OrgsPermission.values), department_id=cast["scjg"].pk)
    for actor in (own, cast.actor("supervisor")):
        with pytest.raises(PermissionRefused):
            found(cast, actor=actor)


def test_a_certificate_counts_on_its_last_day_and_not_after(cast):
    officer = certify(cast)
    assert officer in Officer.objects.certified_on(TODAY)
    assert officer not in Officer.objects.certified_on(date(2026, 11, 24))
    renewed = update_officer(officer=officer, certificate_to=date(2029, 12, 31), actor=KEEPER, at=NOW)
    assert renewed in Officer.objects.certified_on(date(2026, 11, 24))
    update_officer(officer=officer, is_active=False, actor=KEEPER, at=NOW)
    assert officer not in Officer.objects.certified_on(TODAY)


def test_audit_names_the_fields_and_never_the_person(cast):
    officer = certify(cast)
    update_officer(officer=officer, name="演示乙", actor=KEEPER, at=NOW)
    entries = Entry.objects.filter(object_kind="orgs.officer", object_id=str(officer.pk)).order_by("pk")
    assert [each.payload for each in entries] == [{"department": "scjg"}, {"fields": ["name"]}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"certificate_number": "DEMO-scjg-1"}, "执法证号"),
        ({"name": ""}, "姓名"),
        ({"certificate_to": date(2024, 1, 1)}, "早于开始"),
    ],
)
def test_a_faulty_certificate_is_refused(cast, changes, message):
    with pytest.raises(Refused, match=message):
        certify(cast, **changes)


def test_an_officer_belongs_to_a_department_and_its_station(cast):
    with pytest.raises(Refused, match="归属一个部门"):
        certify(cast, department=cast["scjg-1"])
    with pytest.raises(Refused, match="不属于"):
        certify(cast, department=cast["xfjy"], station=cast["scjg-1"])
    assert certify(cast, station=cast["scjg-1"]).station == cast["scjg-1"]


def test_departments_keep_their_own_officers(cast):
    stranger = Actor(role="x", permissions=frozenset(OrgsPermission.values), department_id=cast["xfjy"].pk)
    with pytest.raises(PermissionRefused):
        certify(cast, actor=stranger)
    with pytest.raises(PermissionRefused):
        update_officer(officer=cast.officers["scjg"][0], name="别人", actor=stranger, at=NOW)
    with pytest.raises(TypeError, match="department"):
        update_officer(officer=cast.officers["scjg"][0], department=cast["xfjy"], actor=KEEPER, at=NOW)
