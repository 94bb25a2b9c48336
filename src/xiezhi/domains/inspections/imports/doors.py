"""Which door a named row of a plan means, for a whole chunk in two queries."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from xiezhi.domains.registry.facts import BadFact, clean_code
from xiezhi.domains.registry.matching import normal_name, plain
from xiezhi.domains.registry.models import Premises
from xiezhi.domains.registry.queries import premises_by_code
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.imports.specs import Row


class Doors:
    """The premises of every code in the chunk."""

    def __init__(self, rows: Sequence[Row], actor: Actor) -> None:
        codes = {row["subject_code"] for row in rows if row["subject_code"]}
        self._by_code: dict[str, list[Premises]] = premises_by_code(sorted(codes), actor=actor)
        self.by_id = {door.pk: door for doors in self._by_code.values() for door in doors}

    def of(self, row: Row) -> Premises | None:
        """The door of `row`, by code and, where there are several, by number or address; None when the row was refused."""
        try:
            code = clean_code(row["subject_code"])
        except BadFact as fact:
            row.refuse("subject_code", fact.reason, fact.mend)
            return None
        doors = self._by_code.get(code, [])
        if not doors:
            row.refuse("subject_code", _("主体库里没有这个代码。"), _("请核对代码；确实缺少的，请主体库管理员先登记。"))
            return None
        name = row["subject_name"]
        if name and normal_name(name) != doors[0].subject.normal_name:
            row.warn("subject_name", _("名称与登记的“%(name)s”不同，以代码为准。") % {"name": doors[0].subject.name})
        return self._choose(row, doors)

    def _choose(self, row: Row, doors: list[Premises]) -> Premises | None:
        number, address = row["premises_number"], row["address"]
        if number:
            found = [door for door in doors if door.number.upper() == number]
            if not found:
                numbers = _("、").join(door.number for door in doors[:8])
                row.refuse(
                    "premises_number",
                    _("这家主体没有这个编号的场所。"),
                    _("登记的编号：%(numbers)s。") % {"numbers": numbers},
                )
                return None
            return found[0]
        open_doors = [door for door in doors if door.is_open] or doors
        if len(open_doors) == 1:
            return open_doors[0]
        if address:
            matching = [door for door in open_doors if plain(door.address) == plain(address)]
            if len(matching) == 1:
                return matching[0]
        listed = _("；").join(f"{door.number} {door.address}" for door in open_doors[:5])
        row.refuse(
            "premises_number",
            _("这家主体有 %(count)d 处场所。") % {"count": len(open_doors)},
            _("请填场所编号：%(listed)s。") % {"listed": listed},
        )
        return None
