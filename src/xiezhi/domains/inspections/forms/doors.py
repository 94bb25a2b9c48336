from django.utils.translation import gettext as _

from xiezhi.domains.registry.facts import BadFact, clean_code
from xiezhi.domains.registry.models import Premises
from xiezhi.domains.registry.queries import premises_by_code
from xiezhi.foundation.access.actors import Actor


def find_door(code: str, number: str, actor: Actor) -> Premises:
    """The premises that a person means by a code and, where there are several doors, a number.

    Raises BadFact (field `code` or `number`) saying what is wrong and which numbers there are.
    """
    tidy = clean_code(code)
    doors = premises_by_code([tidy], actor=actor).get(tidy, [])
    if not doors:
        raise BadFact("code", _("主体库里没有这个代码。"), _("请核对，或请主体库管理员先登记。"))
    if number.strip():
        doors = [door for door in doors if door.number.upper() == number.strip().upper()]
    elif len(doors) > 1:
        doors = [door for door in doors if door.is_open] or doors
    if len(doors) == 1:
        return doors[0]
    listed = _("；").join(f"{door.number} {door.address}" for door in premises_by_code([tidy], actor=actor)[tidy][:6])
    reason = _("没有这个编号的场所。") if not doors else _("这家主体有几处场所。")
    raise BadFact("number", reason, _("请填场所编号：%(listed)s。") % {"listed": listed})
