"""来信: mails of the desk's box become leads, once each; who wrote is answered with number and link; what cannot be taken in is kept aside."""

import imaplib
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from xiezhi.domains.complaints.letters import Letter, mark_of, read_letter
from xiezhi.domains.complaints.models import Case, Mail
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services import public
from xiezhi.domains.complaints.services.attachments import attach_file
from xiezhi.domains.complaints.services.intake import Intake, Matter
from xiezhi.domains.complaints.services.people import Person
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import LONGEST, clean, heading
from xiezhi.domains.complaints.words import Channel, Kind
from xiezhi.foundation.access.actors import SYSTEM, Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.uploads import limit_bytes
from xiezhi.foundation.notices.sending import NotSent
from xiezhi.foundation.notices.services import send_letter
from xiezhi.foundation.privacy.sealing import digest
from xiezhi.foundation.workflow.errors import Refused

log = logging.getLogger(__name__)
MOST_AT_ONCE = 50
SECONDS = 20
WAITS = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=12))
"""Before the second, third … try to answer. After the last, somebody may tell the person otherwise."""
MOST_ANSWERS = 10
"""Answers to one sender in a day: two machines must not write to each other for ever."""
STATE = "complaints.inbox"
GUESSES = (
    (Kind.REPORT, "举报"),
    (Kind.COMPLAINT, "投诉"),
    (Kind.SUGGESTION, "建议"),
    (Kind.CONSULTATION, "咨询"),
    (Kind.CONSULTATION, "请问"),
)


def take_letter(*, raw: bytes, at: datetime) -> Mail:
    """Make of one mail a lead, an addition to the case that its subject names, or nothing (automatic ones). The same mail again, by its
    Message-ID, changes nothing. Whatever goes wrong, the mail is kept with the reason; it never raises for a mail."""
    known = Mail.objects.filter(mark=mark_of(raw)).first()
    if known:
        return known
    try:
        return _taken(read_letter(raw), at)
    except IntegrityError:
        return Mail.objects.get(mark=mark_of(raw))  # another ticker was first
    except Refused as refusal:
        return keep_aside(raw=raw, reason=str(refusal), at=at)
    except Exception as error:  # mails are hostile; this one must not hold up the next
        log.exception("a mail could not be taken in")
        return keep_aside(raw=raw, reason=_("没有读懂这封信（%(kind)s）") % {"kind": type(error).__name__}, at=at)


@transaction.atomic
def _taken(letter: Letter, at: datetime, mail: Mail | None = None) -> Mail:
    mail = mail or Mail(mark=letter.mark, arrived_at=at)
    automatic = letter.automatic or (
        _("本邮箱自己的信") if letter.sender == settings.COMPLAINTS_INBOX.get("user") else ""
    )
    mail.status = Mail.Status.IGNORED if automatic else Mail.Status.TAKEN
    mail.reason, mail.original = automatic, ""
    mail.sender, mail.subject = letter.sender, letter.subject
    mail.sender_digest = digest("complaints.mail", letter.sender.lower())
    mail.save()  # the mark is unique: whoever comes second waits here and then learns it
    if automatic:
        return mail
    if not letter.sender:
        raise Refused(_("没有发件人地址，没法回信。"))
    if not letter.text and not letter.enclosures:
        raise Refused(_("信里没有正文，也没有附件。"))
    files = [ContentFile(each.content, name=each.name) for each in letter.enclosures]
    case = _named(letter)
    if case:
        public.add_words(
            case=case, text=letter.text[: public.LONGEST_ADDED], at=at, channel=Channel.EMAIL, also=bool(files)
        )
        mail.status = Mail.Status.ADDED
    else:
        case = _received(letter, at)
    mail.case = case
    refused = _attach(case, files, at)
    if refused:
        tell(case, "not_attached", _("有附件没有接收"), actor=SYSTEM, at=at, text="\n".join(refused), public=True)
    mail.reply_due_at = at
    mail.save(update_fields=["status", "case", "reply_due_at"])
    return mail


def _named(letter: Letter) -> Case | None:
    """The case that the subject names, where it is this sender's and still open."""
    found = Case.objects.open().filter(number=letter.number or "-", parties__email__iexact=letter.sender)
    return found.first()


def _received(letter: Letter, at: datetime) -> Case:
    text = letter.text or letter.subject or _("（来信只有附件）")
    if len(text) > LONGEST:
        raise Refused(_("正文有 %(n)s 个字，最多 %(most)s 个。") % {"n": f"{len(text):,}", "most": f"{LONGEST:,}"})
    kind = next((kind for kind, word in GUESSES if word in letter.subject), None)
    kind = kind or next((kind for kind, word in GUESSES if word in text[:500]), Kind.COMPLAINT)
    matter = Matter(kind=kind, description=text, title=heading(letter.subject, 120))
    person = Person(name=letter.sender_name, email=letter.sender, may_call_back=False)
    key = public.sameness("mail", letter.sender.lower(), letter.subject, text)
    return public.receive_once(key=key, intake=Intake(matter, Channel.EMAIL, at, [person]), at=at).case


def _attach(case: Case, files: list[ContentFile[bytes]], at: datetime) -> list[str]:
    """Keep what can be kept; why not, for the rest."""
    refused = []
    for file in files:
        try:
            with transaction.atomic():
                attach_file(case=case, upload=file, title=file.name or "", actor=SYSTEM, at=at, from_person=True)
        except Refused as refusal:
            refused.append(_("%(name)s：%(reason)s") % {"name": file.name, "reason": refusal})
    return refused


@transaction.atomic
def keep_aside(*, raw: bytes, reason: str, at: datetime) -> Mail:
    """Keep a mail for people, with what is wrong with it. Its bytes lie sealed."""
    mail, _created = Mail.objects.get_or_create(
        mark=mark_of(raw),
        defaults={
            "status": Mail.Status.ASIDE,
            "reason": reason[:300],
            "original": raw.decode("latin-1"),
            "arrived_at": at,
        },
    )
    try:
        letter = read_letter(raw)
        mail.sender, mail.subject = letter.sender, letter.subject
        mail.save(update_fields=["sender", "subject"])
    except Exception:  # it is kept all the same
        log.info("a mail that is kept aside has no readable head")
    return mail


def raw_of(mail: Mail) -> bytes:
    """The mail as it came."""
    return (mail.original or "").encode("latin-1")


@transaction.atomic
def retry_letter(*, mail: Mail, actor: Actor, at: datetime) -> Mail:
    """Take a mail in again that was kept aside (the disk was full, a category was missing). Raises Refused with what is still wrong."""
    actor.require(May.DISPATCH)
    mail = Mail.objects.select_for_update(of=("self",)).get(pk=mail.pk)
    if mail.status != Mail.Status.ASIDE or not mail.original:
        raise Refused(_("这封信不用再处理。"))
    record("complaints.mail.retried", mail, actor=actor, at=at)
    return _taken(read_letter(raw_of(mail)), at, mail)


@transaction.atomic
def settle_letter(*, mail: Mail, note: str, actor: Actor, at: datetime) -> Mail:
    """Somebody has seen to a mail that was kept aside. Raises Refused without a word on how."""
    actor.require(May.DISPATCH)
    mail = Mail.objects.select_for_update(of=("self",)).get(pk=mail.pk)
    if mail.status != Mail.Status.ASIDE:
        raise Refused(_("这封信不用再处理。"))
    if not clean(note):
        raise Refused(_("请写明怎样处理的，例如“已电话登记为 S2026-000123”。"))
    mail.status, mail.note = Mail.Status.DONE, clean(note)[:300]
    mail.save(update_fields=["status", "note"])
    record("complaints.mail.settled", mail, actor=actor, at=at)
    return mail


@transaction.atomic
def open_letter(*, mail: Mail, actor: Actor, at: datetime) -> bytes:
    """The mail as it came, for whoever may see people's data; that it was opened is written down."""
    actor.require(May.SEE_PERSON)
    if not mail.original:
        raise Refused(_("原信没有保存在这里：已经成为诉求的，请看诉求。"))
    record("complaints.mail.opened", mail, actor=actor, at=at)
    return raw_of(mail)


def poll_inbox(*, at: datetime, most: int = MOST_AT_ONCE) -> int:
    """Take in up to `most` unread mails of the box and mark them read; returns how many. Without a box nothing is done.

    Each mail is its own transaction and is marked only once it is kept. Raises OSError or imaplib's error when the box does not answer.
    """
    if not settings.COMPLAINTS_INBOX:
        return 0
    try:
        with override(settings.LANGUAGE_CODE), _box() as box:
            unread = box.uid("SEARCH", "UNSEEN")[1][0] or b""
            uids = unread.split()[:most]
            for uid in uids:
                _take_from(box, uid.decode(), at)
    except (OSError, imaplib.IMAP4.error) as error:
        cache.set(STATE, {"at": at, "error": _("连不上邮箱（%(kind)s）") % {"kind": type(error).__name__}}, None)
        raise
    cache.set(STATE, {"at": at, "error": ""}, None)
    return len(uids)


def ask_box(*, at: datetime) -> None:
    """The ticker's duty: take in what is unread, then answer whoever wrote. Answers do not wait for a box that is down."""
    try:
        poll_inbox(at=at)
    finally:
        answer_letters(at=at)


@contextmanager
def _box() -> Iterator[imaplib.IMAP4]:
    told = settings.COMPLAINTS_INBOX
    if told["tls"]:
        context = ssl.create_default_context()
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(told["host"], told["port"], timeout=SECONDS, ssl_context=context)
    else:
        box = imaplib.IMAP4(told["host"], told["port"], timeout=SECONDS)
    with box:
        box.login(told["user"], told["password"])
        status, why = box.select(f'"{told["folder"]}"')
        if status != "OK":
            raise imaplib.IMAP4.error(f"no folder {told['folder']}: {why!r}")
        yield box


def _take_from(box: imaplib.IMAP4, uid: str, at: datetime) -> None:
    size = box.uid("FETCH", uid, "(RFC822.SIZE)")[1][0]
    length = int(size.rpartition(b"RFC822.SIZE")[2].split(b")")[0].split()[0]) if isinstance(size, bytes) else 0
    whole = length <= 2 * limit_bytes()
    raw = _fetched(box, uid, "(BODY.PEEK[])" if whole else "(BODY.PEEK[HEADER])")
    if whole:
        take_letter(raw=raw, at=at)
    else:
        reason = _("信太大（约 %(mb)s MB），只留下信头；原信在邮箱里。") % {"mb": length // (1024 * 1024)}
        keep_aside(raw=raw, reason=reason, at=at)
    box.uid("STORE", uid, "+FLAGS", r"(\Seen)")


def _fetched(box: imaplib.IMAP4, uid: str, what: str) -> bytes:
    for answer in box.uid("FETCH", uid, what)[1]:
        if isinstance(answer, tuple):
            return bytes(answer[1])
    raise imaplib.IMAP4.error(f"mail {uid} could not be fetched")


def answer_letters(*, at: datetime) -> int:
    """Tell people who wrote what number their mail became; returns how many were told. Tries again later, five times in all."""
    told = 0
    due = (
        Mail.objects.filter(reply_due_at__lte=at, replied_at=None).select_related("case").order_by("reply_due_at", "pk")
    )
    for mail in due[:MOST_AT_ONCE]:
        later = at + WAITS[mail.reply_tries] if mail.reply_tries < len(WAITS) else None
        if not Mail.objects.filter(pk=mail.pk, reply_tries=mail.reply_tries, replied_at=None).update(
            reply_tries=mail.reply_tries + 1, reply_due_at=later
        ):
            continue  # another ticker has it
        if _answered_enough(mail, at) or mail.case is None:
            Mail.objects.filter(pk=mail.pk).update(reply_due_at=None)
            continue
        try:
            with override(settings.LANGUAGE_CODE):
                send_letter(
                    to=mail.sender,
                    title=_("已收到您的来信：%(number)s") % {"number": mail.case.number},
                    text=_answer(mail, mail.case),
                    at=at,
                )
        except (NotSent, Refused) as refused:
            Mail.objects.filter(pk=mail.pk).update(note=_("回信没有发出：%(why)s") % {"why": str(refused)[:200]})
            continue
        Mail.objects.filter(pk=mail.pk).update(replied_at=at, reply_due_at=None, note="")
        told += 1
    return told


def _answered_enough(mail: Mail, at: datetime) -> bool:
    lately = Mail.objects.filter(sender_digest=mail.sender_digest, replied_at__gt=at - timedelta(days=1))
    return lately.count() >= MOST_ANSWERS


def _answer(mail: Mail, case: Case) -> str:
    lines = [
        _("您好，来信已经收到，编号 %(number)s，查询码 %(code)s。")
        % {"number": case.number, "code": public.code_of(case)},
    ]
    if settings.SITE_URL:
        lines.append(_("查进度、补充、撤回：%(link)s") % {"link": settings.SITE_URL + public.path_to(case)})
    if not_taken := case.events.filter(kind="not_attached", at=mail.arrived_at).first():
        lines.append(_("没有接收的附件：") + not_taken.text)
    lines.append(
        _(
            "这是线索：登记到 12315 或者 12345、有了那里的编号以后，法定期限才开始。着急的，请直接拨打 12315 或者 12345。"
        )
    )
    lines.append(_("谁有查询码，谁就能看到进度，请不要转发本信。要补充，请直接回复本信，主题里保留编号。"))
    return "\n\n".join(lines)


def inbox_state() -> dict[str, object] | None:
    """When the box was asked last and what went wrong; None when it never was."""
    found: dict[str, object] | None = cache.get(STATE)
    return found
