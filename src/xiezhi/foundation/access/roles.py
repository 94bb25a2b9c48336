"""Roles as classes that a person who does not program can read."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import ClassVar

from django.conf import settings
from django.utils.functional import Promise


class Role:
    """One kind of post. `organisation_kinds`: where it can be held. `district_wide`: sees every department's objects.

    `second_factor`: may be acted in only with one (`settings.SECOND_FACTOR`). `may_take`: roles that may be taken on for a while with a reason
    alone; any other needs somebody's approval (临时授权).
    """

    key: ClassVar[str]
    label: ClassVar[str | Promise]
    description: ClassVar[str | Promise]
    organisation_kinds: ClassVar[frozenset[str]]
    permissions: ClassVar[frozenset[str]]
    district_wide: ClassVar[bool] = False
    second_factor: ClassVar[bool] = False
    may_take: ClassVar[frozenset[str]] = frozenset()


@cache
def roles() -> Mapping[str, type[Role]]:
    """Every role by key, from the module that `settings.XIEZHI_ROLES` names."""
    module = import_module(settings.XIEZHI_ROLES)
    return {
        role.key: role
        for role in vars(module).values()
        if isinstance(role, type) and issubclass(role, Role) and role is not Role
    }
