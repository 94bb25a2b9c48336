"""Who acts. Every service takes an `Actor`; nothing is done by nobody, and a missing actor may do nothing."""

from dataclasses import dataclass

from django.utils.translation import gettext as _


class PermissionRefused(Exception):
    """This actor may not do this. The message is for the person."""


@dataclass(frozen=True)
class Actor:
    """One person in one membership, or the system itself (ticker and worker).

    `organisation_id` is where the person belongs; `department_id` the department that it is or belongs to (None for the district itself).
    """

    role: str
    permissions: frozenset[str]
    user_id: int | None = None
    membership_id: int | None = None
    organisation_id: int | None = None
    department_id: int | None = None
    district_wide: bool = False
    is_system: bool = False

    def can(self, permission: str) -> bool:
        """Whether the actor's role holds `permission`."""
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise PermissionRefused unless the role holds `permission`."""
        if not self.can(permission):
            raise PermissionRefused(_("您的岗位没有这项权限，请联系管理员。"))


SYSTEM = Actor(role="system", permissions=frozenset(), district_wide=True, is_system=True)
"""The ticker and the worker on their own behalf. It holds no permission: only transitions marked for the system are open to it."""
NOBODY = Actor(role="", permissions=frozenset())
