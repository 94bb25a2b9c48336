"""What people keep for themselves about the interface."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from django.db import transaction
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.ui.models import SavedView
from xiezhi.foundation.workflow.errors import Refused

MOST_VIEWS = 20
"""For one list and one person; more would be no help."""
NOT_KEPT = {"page", "export", "all", "count"}


def query_to_keep(query: str) -> str:
    """Filters, order and columns of an address, without page, export and what is empty."""
    return urlencode([(name, value) for name, value in parse_qsl(query) if name not in NOT_KEPT])


@transaction.atomic
def save_view(
    *, path: str, title: str, name: str, query: str, is_default: bool, actor: Actor, at: datetime
) -> SavedView:
    """Keep a list's filters, order and columns under a name; the same name again replaces the earlier one.

    Raises PermissionRefused for nobody, Refused without a name, for what is no page here, for too much, and for too many.
    """
    if actor.user_id is None:
        raise PermissionRefused(_("请先登录。"))
    name, kept, mine = _named(name), query_to_keep(query), SavedView.objects.visible_to(actor).filter(path=path)
    if len(kept) > 1000 or len(path) > 200:
        raise Refused(_("条件太多，存不下。请先去掉几个筛选条件。"))
    _check_page(path)
    row = mine.filter(name=name).first() or SavedView(user_id=actor.user_id, path=path, name=name)
    if row.pk is None and mine.count() >= MOST_VIEWS:
        raise Refused(_("这个列表已存了 %(n)s 个视图，请先移除不用的。") % {"n": MOST_VIEWS})
    if is_default:
        mine.filter(is_default=True).update(is_default=False)
    row.title, row.query, row.is_default, row.saved_at = title[:80], kept, is_default, at
    row.save()
    record("ui.view.saved", row, actor=actor, at=at, path=path)
    return row


@transaction.atomic
def change_view(*, view: SavedView, name: str, is_default: bool, actor: Actor, at: datetime) -> SavedView:
    """Give one's own view another name, or make it the list's default or not. Raises Refused for a name that another has."""
    mine = SavedView.objects.visible_to(actor)
    row, name = mine.get(pk=view.pk), _named(name)
    others = mine.filter(path=row.path).exclude(pk=row.pk)
    if others.filter(name=name).exists():
        raise Refused(_("这个列表已有名为“%(name)s”的视图，请换一个名称。") % {"name": name})
    if is_default:
        others.filter(is_default=True).update(is_default=False)
    row.name, row.is_default = name, is_default
    row.save(update_fields=["name", "is_default"])
    record("ui.view.changed", row, actor=actor, at=at, path=row.path)
    return row


@transaction.atomic
def remove_view(*, view: SavedView, actor: Actor, at: datetime) -> None:
    """Forget one's own view."""
    row = SavedView.objects.visible_to(actor).get(pk=view.pk)
    record("ui.view.removed", row, actor=actor, at=at, path=row.path)
    row.delete()


def _named(name: str) -> str:
    name = " ".join(name.replace("\x00", "").split())
    if not name or len(name) > 30:
        raise Refused(_("请给视图起一个 30 字以内的名称。"))
    return name


def _check_page(path: str) -> None:
    try:
        resolve(path)
    except Resolver404:
        raise Refused(_("找不到这个列表，请回到列表再存一次。")) from None
