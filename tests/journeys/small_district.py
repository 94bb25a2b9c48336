"""Run inside a site's own process: the fixed cast with one offered visit, one draft plan and checks that wait for a round; prints their ids."""

import json
from datetime import timedelta

import django

django.setup()

from tests.builders.cast import TODAY, make_cast  # noqa: E402
from tests.builders.inspections import given_check, given_item, given_plan, given_premises, named_row  # noqa: E402
from tests.builders.registry import fictional_code  # noqa: E402
from tests.builders.visits import given_teams, given_visit  # noqa: E402

if __name__ == "__main__":
    cast = make_cast(with_password=("scjg.planner", "scjg.head", "coordinator", "registrar"))
    given_teams(cast)
    item = given_item(cast, "scjg", "SCJG-01", name="演示食品安全检查")
    doors = [given_premises(cast, name=f"演示金榆{number}号饭店有限公司") for number in range(1, 10)]
    draft = given_plan(cast, "scjg", [named_row(item, door) for door in doors[:3]], title="演示草稿计划", filed=False)
    for department in ("xfjy", "wsjk"):
        given_check(cast, doors[3], department, latest=TODAY + timedelta(days=38))
    told = {
        "plan": draft.pk,
        "visit": given_visit(cast, "scjg", premises=doors[4]).pk,
        "others_visit": given_visit(cast, "wsjk", premises=doors[5]).pk,
        "codes": [door.subject.code for door in doors],
        "unknown_code": fictional_code(999_998),
    }
    print(json.dumps(told))
