"""Every act on a person's way in: temporary passwords, locks, second factors, sessions, telephone numbers, suspension."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from xiezhi.foundation.access.actors import SYSTEM, Actor, PermissionRefused
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.accounts import lockout, phones
from xiezhi.foundation.accounts.models import AccountAct, User
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.workflow.errors import Refused

TEMPORARY_PASSWORD_LASTS = timedelta(hours=24)
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read out wrongly
Kind = AccountAct.Kind


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _note(user: User, kind: str, *, actor: Actor, at: datetime, reason: str = "", **details: object) -> None:
    AccountAct.objects.create(user=user, kind=kind, reason=reason.strip()[:500], by_id=actor.user_id, at=at)
    record(f"accounts.{kind}", user, actor=actor, at=at, **details)


def _asked(reason: str) -> None:
    if not reason.strip():
        raise Refused(_("请写明理由。"))


def _not_oneself(user: User, actor: Actor) -> None:
    if user.pk == actor.user_id:
        raise Refused(_("不能这样处理自己的账号，请由另一位管理员办理。"))


@transaction.atomic
def issue_password(*, user: User, reason: str, actor: Actor, at: datetime) -> str:
    """Give a person a temporary password (临时密码), which is returned once and kept nowhere: it signs in for a day and must be changed at
    once. Ends their sessions and lifts a lock. Raises Refused for oneself or without a reason."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    _asked(reason)
    _not_oneself(user, actor)
    return _new_password(user, reason=reason, actor=actor, at=at)


def _new_password(user: User, *, reason: str, actor: Actor, at: datetime) -> str:
    locked = _locked(user)
    password = "-".join("".join(secrets.choice(ALPHABET) for _each in range(4)) for _part in range(4))
    locked.set_password(password)
    locked.password_expires_at = at + TEMPORARY_PASSWORD_LASTS
    locked.save(update_fields=["password", "password_expires_at"])
    _end(UserSession.objects.filter(user=locked))
    transaction.on_commit(lambda: lockout.forget(locked))
    _note(locked, Kind.PASSWORD_ISSUED, actor=actor, at=at, reason=reason)
    return password


@transaction.atomic
def own_password_set(*, user: User, at: datetime) -> None:
    """The person has chosen a password of their own: nobody else knows it any more."""
    User.objects.filter(pk=user.pk).exclude(password_expires_at=None).update(password_expires_at=None)
    record("accounts.password_changed", user, actor=Actor(role="", permissions=frozenset(), user_id=user.pk), at=at)


@transaction.atomic
def note_lock(*, user: User, until: datetime, at: datetime) -> None:
    """Say once that a person is locked out: in the audit, among the acts and in their inbox."""
    from xiezhi.foundation.notices.models import Notice
    from xiezhi.foundation.notices.services import notify

    _note(user, Kind.LOCKED, actor=SYSTEM, at=at, until=until.isoformat(timespec="seconds"))
    notify(
        [user.pk],
        key=f"accounts.locked:{until:%Y%m%d%H%M%S}",
        title=_("有人多次输错您的密码或验证码，登录曾被锁定"),
        body=_("如果不是您本人，请尽快修改密码，并告诉系统管理员。"),
        level=Notice.Level.URGENT,
        at=at,
    )


@transaction.atomic
def unlock(*, user: User, reason: str, actor: Actor, at: datetime) -> User:
    """Let a person try again before their lock has lapsed. Raises Refused where nothing is locked, or without a reason."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    _asked(reason)
    if lockout.locked_until(*lockout.keys_of(user)) is None:
        raise Refused(_("这个账号现在没有锁定。"))
    transaction.on_commit(lambda: lockout.forget(user))
    _note(user, Kind.UNLOCKED, actor=actor, at=at, reason=reason)
    return user


@transaction.atomic
def reset_factor(*, user: User, reason: str, actor: Actor, at: datetime) -> int:
    """Remove a person's second factors (lost telephone), and end their sessions; returns how many were removed. Who must have one is asked
    to set it up at the next sign-in. Raises Refused for oneself, without a reason, or where there is none."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    _asked(reason)
    _not_oneself(user, actor)
    removed = _drop_factors(user, reason=reason, actor=actor, at=at)
    if not removed:
        raise Refused(_("此人没有设置二次验证。"))
    return removed


def _drop_factors(user: User, *, reason: str, actor: Actor, at: datetime) -> int:
    removed, _each = Authenticator.objects.filter(user=user).delete()
    if removed:
        _end(UserSession.objects.filter(user=user))
        transaction.on_commit(lambda: lockout.forget(user))
        _note(user, Kind.FACTOR_RESET, actor=actor, at=at, reason=reason, removed=removed)
    return int(removed)


@transaction.atomic
def rescue(*, user: User, reason: str, actor: Actor, at: datetime) -> str:
    """Let a person in again from the machine itself, where no other administrator can: a temporary password, which is returned once, and no
    second factor. For whoever can run commands there; raises PermissionRefused for anybody who is signed in, Refused without a reason."""
    if not actor.is_system:
        raise PermissionRefused(_("只能在服务器上由运维人员执行。"))
    _asked(reason)
    _drop_factors(user, reason=reason, actor=actor, at=at)
    return _new_password(user, reason=reason, actor=actor, at=at)


def _end(sessions: Iterable[UserSession]) -> int:
    ended = 0
    for session in sessions:
        session.end()
        ended += 1
    return ended


@transaction.atomic
def end_sessions(*, user: User, reason: str, actor: Actor, at: datetime) -> int:
    """Sign a person out everywhere; returns how many sessions ended. Raises Refused without a reason."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    _asked(reason)
    ended = _end(UserSession.objects.filter(user=user))
    _note(user, Kind.SESSIONS_ENDED, actor=actor, at=at, reason=reason, ended=ended)
    return ended


@transaction.atomic
def end_own_sessions(*, user: User, keep: str, only: int | None = None, actor: Actor, at: datetime) -> int:
    """End a person's own other sessions, or one of them (`only`: its id); the one with key `keep` stays. Returns how many ended."""
    mine = UserSession.objects.filter(user=user).exclude(session_key=keep)
    ended = _end(mine.filter(pk=only) if only is not None else mine)
    if ended:
        record("accounts.own_sessions_ended", user, actor=actor, at=at, ended=ended)
    return ended


def touch_session(*, key: str, ip: str, at: datetime) -> None:
    """Remember when and from where a session was last seen. Not an act: nothing is written about it."""
    UserSession.objects.filter(session_key=key).update(last_seen_at=at, ip=ip)


@transaction.atomic
def suspend(*, user: User, reason: str, actor: Actor, at: datetime) -> User:
    """Close an account (停用) at once, whatever posts it holds; ends its sessions. Raises Refused for oneself, without a reason, for one that
    is closed, or where no administrator would be left."""
    from xiezhi.foundation.access.keepers import someone_stays

    actor.require(AccessPermission.MANAGE_PEOPLE)
    _asked(reason)
    _not_oneself(user, actor)
    someone_stays(without_user=user.pk, on=at.date())
    locked = _locked(user)
    if not locked.is_active:
        raise Refused(_("这个账号已经停用。"))
    locked.is_active = False
    locked.save(update_fields=["is_active"])
    _end(UserSession.objects.filter(user=locked))
    _note(locked, Kind.SUSPENDED, actor=actor, at=at, reason=reason)
    return locked


@transaction.atomic
def restore(*, user: User, reason: str, actor: Actor, at: datetime) -> User:
    """Open a suspended account again. Raises Refused without a reason, or for one that is open."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    _asked(reason)
    locked = _locked(user)
    if locked.is_active:
        raise Refused(_("这个账号没有停用。"))
    locked.is_active = True
    locked.save(update_fields=["is_active"])
    _note(locked, Kind.RESTORED, actor=actor, at=at, reason=reason)
    return locked


@transaction.atomic
def set_phone(*, user: User, number: str, actor: Actor, at: datetime) -> User:
    """Let a person sign in with codes sent to `number`; an empty one takes that away. Raises Refused for what is no mobile number, and for
    one that somebody else has."""
    actor.require(AccessPermission.MANAGE_PEOPLE)
    locked = _locked(user)
    wanted = phones.normal(number) if number.strip() else ""
    locked.phone_digest, locked.phone_tail = (phones.digest(wanted), wanted[-4:]) if wanted else (None, "")
    locked.phone_verified_at = None
    try:
        with transaction.atomic():
            locked.save(update_fields=["phone_digest", "phone_tail", "phone_verified_at"])
    except IntegrityError as error:
        raise Refused(_("这个手机号已登记在另一个账号上。")) from error
    _note(locked, Kind.PHONE_SET if wanted else Kind.PHONE_REMOVED, actor=actor, at=at)
    return locked


@transaction.atomic
def phone_verified(*, user: User, at: datetime) -> None:
    """The person has answered with the code that was sent to their number."""
    User.objects.filter(pk=user.pk, phone_verified_at=None).update(phone_verified_at=at)


@transaction.atomic
def open_by_phone(*, number: str, actor: Actor, at: datetime) -> User:
    """The account of whoever answers at `number`, opened if there is none yet (`settings.PHONE_SIGNUP`): without password and without post,
    until the code has come back not even verified. Raises Refused for what is no mobile number."""
    wanted = phones.normal(number)
    known = User.objects.filter(phone_digest=phones.digest(wanted)).first()
    if known:
        return known
    name = f"m.{secrets.token_hex(6)}"
    user = User.objects.create_user(name, display_name=_("手机尾号 %(tail)s") % {"tail": wanted[-4:]}, joined_at=at)
    user.phone_digest, user.phone_tail = phones.digest(wanted), wanted[-4:]
    user.save(update_fields=["phone_digest", "phone_tail"])
    record("accounts.opened_by_phone", user, actor=actor, at=at)
    return user


@transaction.atomic
def open_from_directory(*, username: str, display_name: str, actor: Actor, at: datetime) -> User:
    """An account for somebody whom the district's directory (OIDC) vouches for (`settings.OIDC_OPENS_ACCOUNTS`): without password, without
    post. Raises Refused when the login name is taken."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(username, display_name=display_name[:60] or username, joined_at=at)
    except IntegrityError as error:
        raise Refused(_("登录名“%(name)s”已有人使用，请换一个。") % {"name": username}) from error
    record("accounts.opened_from_directory", user, actor=actor, at=at)
    return user


@transaction.atomic
def tidy(*, at: datetime) -> int:
    """Remove accounts that a telephone number asked for and nobody answered within a day; returns how many. The ticker's."""
    left = User.objects.filter(
        phone_digest__isnull=False, phone_verified_at=None, joined_at__lt=at - timedelta(days=1),
        username__startswith="m.", last_login=None, memberships=None, acts=None,
    )  # fmt: skip
    found = list(left.values_list("pk", flat=True))
    User.objects.filter(pk__in=found).delete()
    return len(found)
