"""The transition tables: a subject's standing in the register, and a pending match. Data and pure guards only."""

from django.utils.translation import gettext_lazy as _

from xiezhi.domains.registry.models import PendingMatch, Subject
from xiezhi.domains.registry.permissions import RegistryPermission as May
from xiezhi.foundation.workflow.tables import Workflow, transition

_S = Subject.Status
OPEN = frozenset({_S.ACTIVE, _S.SUSPENDED})
CLOSED = frozenset({_S.DEREGISTERED, _S.REVOKED, _S.MOVED_OUT})
_BY_HAND = {"permission": May.MANAGE, "stamp": "updated_at"}

SUBJECT = Workflow(
    "registry.subject",
    _("经营主体状态"),
    _S,
    _S.ACTIVE,
    (
        transition("suspend", _("登记歇业"), {_S.ACTIVE}, _S.SUSPENDED, **_BY_HAND),
        transition("resume", _("恢复营业"), {_S.SUSPENDED}, _S.ACTIVE, style="primary", **_BY_HAND),
        # A revoked licence (吊销) leaves the legal person standing until it is deregistered (注销).
        transition(
            "deregister",
            _("登记注销"),
            OPEN | {_S.REVOKED, _S.MOVED_OUT},
            _S.DEREGISTERED,
            needs_reason=True,
            **_BY_HAND,
        ),
        transition("revoke", _("登记吊销"), OPEN, _S.REVOKED, needs_reason=True, **_BY_HAND),
        transition("move_out", _("登记迁出"), OPEN, _S.MOVED_OUT, needs_reason=True, **_BY_HAND),
        transition("reinstate", _("更正为存续"), CLOSED, _S.ACTIVE, needs_reason=True, **_BY_HAND),
    ),
)

_M = PendingMatch.Status
MATCH = Workflow(
    "registry.match",
    _("待匹配名称"),
    _M,
    _M.WAITING,
    (
        transition(
            "confirm",
            _("确认是它"),
            {_M.WAITING},
            _M.MATCHED,
            permission=May.MATCH,
            stamp="decided_at",
            style="primary",
        ),
        transition(
            "dismiss",
            _("都不是"),
            {_M.WAITING},
            _M.DISMISSED,
            permission=May.MATCH,
            stamp="decided_at",
            needs_reason=True,
            style="caution",
        ),
        transition("reopen", _("重新匹配"), {_M.DISMISSED}, _M.WAITING, permission=May.MATCH),
    ),
)


def move_between(before: str, after: str) -> str | None:
    """The name of the move that takes a subject from status `before` to `after`; None when the table has none."""
    for each in SUBJECT.transitions:
        if before in each.sources and each.target == after:
            return each.name
    return None
