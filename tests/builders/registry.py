"""Subjects for tests, made through the services. Names and addresses are invented; codes are in an unused area with valid check digits."""

from datetime import datetime
from typing import Any

from stdnum.cn import uscc

from tests.builders.cast import NOW, Cast
from xiezhi.domains.registry import services
from xiezhi.domains.registry.facts import PremisesFacts
from xiezhi.domains.registry.models import Premises, Scene, Subject


def fictional_code(serial: int) -> str:
    """A code with a valid check digit that nobody holds: area 110199 does not exist."""
    body = f"91110199MA{serial:07d}"
    return body + uscc.calc_check_digit(body)


def a_subject(
    cast: Cast,
    serial: int,
    name: str = "",
    *,
    street: str = "110199001",
    address: str = "",
    door: dict[str, Any] | None = None,
    at: datetime = NOW,
    **given: Any,
) -> Subject:
    """One subject with one door; `door`: further facts of its premises."""
    facts = PremisesFacts(address=address or f"金榆街{serial}号", street=cast[street], **(door or {}))
    return services.register_subject(
        code=given.pop("code", fictional_code(serial)),
        name=name or f"演示第{serial}餐饮有限公司",
        premises=facts,
        actor=cast.actor("registrar"),
        at=at,
        **given,
    )


def a_scene(cast: Cast, code: str, name: str, *, undisturbed: bool = False) -> Scene:
    """One scene."""
    return services.add_scene(code=code, name=name, undisturbed=undisturbed, actor=cast.actor("registrar"), at=NOW)


def door_of(subject: Subject) -> Premises:
    """Its only door."""
    return subject.premises.get()
