"""The steps of an import. Who may move a batch is the spec's own permission, so the table is made for a permission."""

from functools import cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.imports.models import ImportBatch
from xiezhi.foundation.workflow.tables import Workflow, transition

S = ImportBatch.Status
AT_REST = (S.UPLOADED, S.MAPPED, S.CHECKED, S.FAILED)


def _own(batch: ImportBatch, actor: Actor) -> bool:
    return actor.district_wide or batch.organisation_id == (actor.department_id or actor.organisation_id)


def _something_to_save(batch: ImportBatch, actor: Actor) -> str | None:
    return None if batch.to_save else _("没有需要导入的行：全部无变化或未通过核对。")


@cache
def import_workflow(permission: str) -> Workflow:
    """The table for specs that ask for `permission`."""
    person = {"permission": permission, "owner": _own}
    moves = (
        transition("choose_sheet", gettext_lazy("换一张工作表"), AT_REST, S.UPLOADED, **person),
        transition("map", gettext_lazy("确定各列"), AT_REST, S.MAPPED, style="primary", **person),
        transition("check", gettext_lazy("开始核对"), (S.MAPPED,), S.CHECKING, style="primary", **person),
        transition(
            "finish_check", gettext_lazy("核对完成"), (S.CHECKING,), S.CHECKED, by_system=True, stamp="checked_at"
        ),
        transition(
            "apply",
            gettext_lazy("确认导入"),
            (S.CHECKED,),
            S.APPLYING,
            style="primary",
            guard=_something_to_save,
            **person,
        ),
        transition(
            "finish_apply", gettext_lazy("导入完成"), (S.APPLYING,), S.APPLIED, by_system=True, stamp="applied_at"
        ),
        transition("stop_check", gettext_lazy("停止核对"), (S.CHECKING,), S.MAPPED, by_system=True),
        transition("stop_apply", gettext_lazy("停止导入"), (S.APPLYING,), S.CHECKED, by_system=True),
        transition("fail", gettext_lazy("中断"), (S.CHECKING, S.APPLYING), S.FAILED, by_system=True),
        transition(
            "abandon", gettext_lazy("放弃导入"), AT_REST, S.ABANDONED, style="danger", stamp="closed_at", **person
        ),
        transition("expire", gettext_lazy("过期关闭"), AT_REST, S.ABANDONED, by_system=True, stamp="closed_at"),
    )
    return Workflow("imports", gettext_lazy("数据导入"), S, S.UPLOADED, moves)


IMPORTS = import_workflow("imports.spec")
"""For diagrams and documents: the permission stands for the spec's own."""
