"""Opening, retention, requests and new keys: everything that is written about or into personal data from here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Count, F, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast, StrIndex, Substr
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import SYSTEM, Actor, PermissionRefused
from xiezhi.foundation.accounts import phones
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.audit.services import record, record_many
from xiezhi.foundation.notices.sealing import unseal_before_names
from xiezhi.foundation.privacy import keyring
from xiezhi.foundation.privacy.fields import EncryptedTextField
from xiezhi.foundation.privacy.holdings import Holding, all_holdings, holding_of
from xiezhi.foundation.privacy.models import Opening, Request
from xiezhi.foundation.privacy.permissions import PrivacyPermission
from xiezhi.foundation.privacy.queries import duty_of, past_retention, rows_of
from xiezhi.foundation.privacy.sealing import Unreadable, key_of, seal, unseal
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused

BATCH = 200
SEALED_TEXTS = (("notices.channel", "sealed_address"), ("notices.wish", "sealed_address"))
"""Columns that their room seals itself."""


@transaction.atomic
def note_opening(*, row: Model, reason: str, actor: Actor, at: datetime, columns: Sequence[str] = ()) -> Opening:
    """Write down that `actor` reads a row's personal data (`columns`; all of its holding's when not told). The caller has checked that
    they may. Raises PermissionRefused for nobody's and the system's."""
    return note_openings(rows=[row], reason=reason, actor=actor, at=at, columns=columns)[0]


def note_openings(
    *, rows: Sequence[Model], reason: str, actor: Actor, at: datetime, columns: Sequence[str] = ()
) -> list[Opening]:
    """`note_opening` for many rows of one kind, as an export reads them; a few statements and a look for each person's account."""
    if actor.user_id is None or actor.membership_id is None:
        raise PermissionRefused(_("请先登录。"))
    if not rows:
        return []
    kind = rows[0]._meta.label_lower
    holding = holding_of(kind)
    if holding is None:
        raise LookupError(f"{kind} is not on the map of personal data")
    fields = sorted(columns) or sorted(name for name, datum in holding.fields.items() if datum.shown)
    openings = Opening.objects.bulk_create(
        Opening(
            kind=kind,
            object_id=row.pk,
            fields=fields,
            reason=reason.strip()[:200],
            by_id=actor.user_id,
            membership_id=actor.membership_id,
            of_id=_account_of(row, holding),
            at=at,
        )
        for row in rows
    )
    record_many("privacy.opened", list(rows), actor=actor, at=at, fields=fields)
    return openings


def _account_of(row: Model, holding: Holding) -> int | None:
    """The account of the person whose row it is: the row itself, what it belongs to, or whoever signs in with that telephone."""
    if isinstance(row, User):
        return row.pk
    if (owner := getattr(row, "user_id", None)) is not None:
        return int(owner)
    for name, datum in holding.fields.items():
        if datum.find == "phone" and (number := getattr(row, name)):
            try:
                found = User.objects.filter(phone_digest=phones.digest(phones.normal(number))).first()
            except Refused:
                continue
            return found.pk if found else None
    return None


@transaction.atomic
def open_row(*, row: Model, reason: str, actor: Actor, at: datetime) -> dict[str, str]:
    """What a row holds in full, by each column's word, with a trace. Raises PermissionRefused where the room lets nobody open it so."""
    holding = holding_of(row._meta.label_lower)
    if holding is None or holding.openable is None or not holding.openable(actor).filter(pk=row.pk).exists():
        raise PermissionRefused(_("您的岗位不能查看这项个人信息。"))
    note_opening(row=row, reason=reason, actor=actor, at=at)
    return holding.values(row)


# Requests


@transaction.atomic
def enter_request(*, found_by: str, sought: str, identity: str, actor: Actor, at: datetime) -> Request:
    """Enter that somebody asks about their own data. Raises PermissionRefused, and Refused without how they proved who they are, or
    without anything to find them by."""
    actor.require(PrivacyPermission.MANAGE)
    if actor.user_id is None:
        raise PermissionRefused(_("请先登录。"))
    if not sought.strip() or not identity.strip():
        raise Refused(_("请填写查找内容，并写明怎样核实了申请人的身份。"))
    if found_by == Request.By.PHONE and len([each for each in sought if each.isdigit()]) < 7:
        raise Refused(_("电话号码至少要有 7 位数字。"))
    made = Request.objects.create(
        found_by=found_by,
        sought=sought.strip()[:120],
        identity=identity.strip()[:200],
        asked_at=at,
        by_id=actor.user_id,
    )
    record("privacy.asked", made, actor=actor, at=at, found_by=found_by)
    return made


@transaction.atomic
def copy_for(*, request: Request, actor: Actor, at: datetime) -> list[tuple[str, int, str, str]]:
    """Everything found, as (table, number, column's word, value), and a trace for each row. Raises PermissionRefused, Refused when the
    request is over."""
    locked = _open(request, actor)
    lines = []
    for holding, row in rows_of(locked):
        note_opening(row=row, reason=_("提供副本（个人申请）"), actor=actor, at=at)
        lines += [(holding.title, row.pk, what, value) for what, value in holding.values(row).items()]
    locked.copied_at = at
    locked.save(update_fields=["copied_at"])
    record("privacy.copied", locked, actor=actor, at=at, values=len(lines))
    return lines


@transaction.atomic
def erase_for(*, request: Request, seen: int, actor: Actor, at: datetime) -> Request:
    """Erase what nothing obliges to keep, and end the request with a report of both. `seen`: how many rows the person who says so has
    looked at. Raises PermissionRefused; Refused when it is over, or when other rows are found now than were seen."""
    locked = _open(request, actor)
    found, outcome = list(rows_of(locked)), []
    if seen != len(found):
        raise Refused(_("请看过找到的每条记录，勾选确认后再删除；删除后不能恢复。"))
    for holding, row in found:
        why = duty_of(holding, row, at)
        if not why:
            _erase(holding, [row], actor, at)
        outcome.append({"kind": holding.model, "row": row.pk, "kept": why})
    return _end(locked, Request.Status.DONE, outcome, actor, at)


@transaction.atomic
def close_request(*, request: Request, actor: Actor, at: datetime) -> Request:
    """End a request without erasing anything: a copy was all they wanted, or nothing was found. Raises as `erase_for`."""
    return _end(_open(request, actor), Request.Status.CLOSED, [], actor, at)


def _open(request: Request, actor: Actor) -> Request:
    actor.require(PrivacyPermission.MANAGE)
    locked = Request.objects.select_for_update().get(pk=request.pk)
    if locked.status != Request.Status.OPEN:
        raise AlreadyDone(_("这件申请已经办结。"))
    return locked


def _end(locked: Request, status: Request.Status, outcome: list[dict[str, Any]], actor: Actor, at: datetime) -> Request:
    locked.status, locked.outcome, locked.closed_at, locked.sought = status, outcome, at, ""
    locked.save(update_fields=["status", "outcome", "closed_at", "sought"])
    kept = sum(bool(each["kept"]) for each in outcome)
    record("privacy.closed", locked, actor=actor, at=at, erased=len(outcome) - kept, kept=kept)
    return locked


def _erase(holding: Holding, rows: Sequence[Model], actor: Actor, at: datetime) -> None:
    manager: Any = holding.table._default_manager
    manager.filter(pk__in=[row.pk for row in rows]).update(**holding.cleared)
    for row in rows:
        record("privacy.erased", row, actor=actor, at=at)


# Retention


def erase_expired(*, at: datetime, most: int = 20 * BATCH) -> int:
    """The ticker's: erase personal data whose time is over, `BATCH` rows in a transaction and at most `most` in one go; how many."""
    done = 0
    for holding in all_holdings():
        while done < most:
            with transaction.atomic():
                rows = list(past_retention(holding, at).order_by("pk")[:BATCH])
                _erase(holding, rows, SYSTEM, at)
            done += len(rows)
            if len(rows) < BATCH:
                break
    return done


# Keys


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed texts."""

    model: type[Model]
    column: str

    @property
    def raw(self) -> QuerySet[Any]:
        """Rows with something in it, the sealed text as `sealed_text`."""
        manager: Any = self.model._default_manager
        rows: QuerySet[Any] = manager.annotate(sealed_text=Cast(F(self.column), TextField()))
        return rows.exclude(sealed_text="").exclude(sealed_text=None)


def sealed_columns() -> Iterator[SealedColumn]:
    """Every column that is sealed under the ring, in one order."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield SealedColumn(model, field.name)
    for label, column in SEALED_TEXTS:
        yield SealedColumn(apps.get_model(label), column)


def rows_by_key() -> dict[str, int]:
    """How many sealed texts lie under each key; the empty name stands for those from before keys had names."""
    counts: dict[str, int] = {}
    for each in sealed_columns():
        named = each.raw.annotate(key=Substr("sealed_text", 1, StrIndex("sealed_text", Value(".")))).order_by()
        for key, count in named.values_list("key").annotate(Count("pk")):
            counts[key_of(key)] = counts.get(key_of(key), 0) + count
    return counts


def reseal_batch(*, column: SealedColumn, after: Any) -> tuple[Any, int]:
    """Seal up to `BATCH` rows after the key `after` under the newest key; the last key looked at (None: no more) and how many changed.
    A row that somebody writes meanwhile is left: it is sealed anew already."""
    newest, changed = keyring.ring().newest, 0
    rows = column.raw.order_by("pk").values_list("pk", "sealed_text")
    page = list((rows.filter(pk__gt=after) if after is not None else rows)[:BATCH])
    with transaction.atomic():
        for pk, raw in page:
            if key_of(raw) == newest:
                continue
            if (text := _opened(raw)) is None:
                continue
            sealed = Value(seal(text), output_field=TextField())
            changed += column.raw.filter(pk=pk, sealed_text=raw).update(**{column.column: sealed})
    return (page[-1][0] if len(page) == BATCH else None), changed


def _opened(raw: str) -> str | None:
    """None for what no key of ours opens: it stays, and so does its key's name in `rows_by_key`."""
    try:
        return unseal(raw) if key_of(raw) else unseal_before_names(raw)
    except Unreadable:
        return None


def retire_keys() -> list[str]:
    """Drop the keys that nothing lies under any more; their names. Raises ImproperlyConfigured where the environment holds them."""
    unused = set(keyring.ring().keys) - set(rows_by_key()) - {keyring.ring().newest}
    keyring.drop_keys(unused)
    return sorted(unused)
