"""公众渠道: what comes in by itself becomes one case however often it is sent, and whoever sent it can follow it without an account."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Arrival, Case, Category, Draft
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.attachments import KINDS, attach_file, attach_stored
from xiezhi.domains.complaints.services.intake import Intake, Matter, dismiss_lead, receive_case
from xiezhi.domains.complaints.services.people import Person, phone_key
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import CaseStatus, Channel, Kind
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.files.services import discard, store_uploads
from xiezhi.foundation.notices.services import notify, people_holding
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.privacy.sealing import digest
from xiezhi.foundation.workflow.errors import Refused

MOST_PHOTOS = 9
KEPT = timedelta(days=1)
"""How long a draft that nobody sends is kept (a working default)."""
LONGEST_ADDED = 10_000
MOST_ADDED = 30
CODE_LENGTH = 16
Answers = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """What became of something sent: its case, and whether that was there before."""

    case: Case
    is_new: bool


@transaction.atomic
def receive_once(*, key: str, intake: Intake, at: datetime, again_after_end: bool = True) -> Sent:
    """Take in an arrival that may come many times, also at the same moment: `key` has one case. Once that case has ended, another arrival is
    a new matter, unless told otherwise (a letter is the same letter for ever). Raises what `receive_case` raises."""
    Arrival.objects.bulk_create([Arrival(key=key, first_at=at, last_at=at)], ignore_conflicts=True)
    arrival = Arrival.objects.select_for_update(of=("self",)).select_related("case").get(key=key)
    found = arrival.case if arrival.case and (arrival.case.is_open or not again_after_end) else None
    sent = Sent(found, False) if found else Sent(receive_case(intake=intake, actor=SYSTEM, at=at), True)
    arrival.case, arrival.times, arrival.last_at = sent.case, arrival.times + 1, at
    arrival.save(update_fields=["case", "times", "last_at"])
    return sent


@transaction.atomic
def receive_sent(*, key: str, intake: Intake, media: Sequence[File], media_url: str, at: datetime) -> Sent:
    """What a client of an interface sends: once, with its photos. An address of a picture is kept as text and never fetched from here."""
    sent = receive_once(key=key, intake=intake, at=at)
    if sent.is_new:
        for upload in media:
            attach_file(case=sent.case, upload=upload, title=upload.name or "", actor=SYSTEM, at=at, from_person=True)
        if media_url:
            tell(sent.case, "media_url", _("对方附了图片地址"), actor=SYSTEM, at=at, text=media_url)
    return sent


def token_of(*, case: Case, at: datetime) -> str:
    """A token that stands for a case's number, for clients that ask for it later."""
    made = hmac.new(
        settings.SECRET_KEY.encode(), f"complaints-token:{case.number}".encode(), hashlib.sha256
    ).hexdigest()[:32]
    Arrival.objects.bulk_create(
        [Arrival(key=f"token:{made}", case=case, first_at=at, last_at=at)], ignore_conflicts=True
    )
    return made


def sameness(way: str, *parts: object) -> str:
    """A key for `receive_once` of what makes an arrival the same; nobody can read the parts in it."""
    text = json.dumps([str(part) for part in parts], ensure_ascii=False)
    return f"{way}:{digest('complaints.arrival', text)}"


def code_of(case: Case) -> str:
    """查询码: sixteen letters and digits, in fours, with which whoever sent a case opens it. They follow from the number and the installation's
    own secret and are stored nowhere."""
    made = hmac.new(settings.SECRET_KEY.encode(), f"complaints-code:{case.number}".encode(), hashlib.sha256).digest()
    letters = base64.b32encode(made).decode()[:CODE_LENGTH]
    return "-".join(letters[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def case_behind(number: str, code: str) -> Case | None:
    """The case that this number and 查询码 open; None for any that do not belong together. Small letters and spaces are forgiven."""
    case = Case.objects.filter(number=clean(number).upper()[:16]).first()
    given = "".join(sign for sign in code.upper() if sign.isalnum())
    expected = (code_of(case) if case else "-" * CODE_LENGTH).replace("-", "")
    return case if hmac.compare_digest(given.encode(), expected.encode()) else None


def path_to(case: Case) -> str:
    """The path that opens a case for whoever sent it."""
    return reverse("appeals:open", args=[case.number, code_of(case)])


def new_token() -> str:
    """A token for a form that is about to be filled in."""
    return secrets.token_urlsafe(32)


@transaction.atomic
def save_draft(*, token: str, answers: Answers, account_id: int | None, at: datetime) -> Draft:
    """Keep what is typed until it is sent. Raises Refused once it was sent."""
    Draft.objects.bulk_create([Draft(token=token, saved_at=at)], ignore_conflicts=True)
    draft: Draft = Draft.objects.select_for_update(of=("self",)).get(token=token)
    if draft.case_id:
        raise Refused(_("这一件已经提交过了。要补充，请在进度页添加；另有事情，请新填一件。"))
    draft.answers = json.dumps(answers, ensure_ascii=False)
    draft.account_id, draft.saved_at = account_id, at
    draft.save(update_fields=["answers", "account", "saved_at"])
    return draft


def add_photos(*, draft: Draft, uploads: Sequence[File], at: datetime) -> list[StoredFile]:
    """Take in photos of a draft. Raises Refused, naming the file, for what cannot be taken; then none of them is."""
    return store_uploads(uploads, kinds=KINDS, most=MOST_PHOTOS, actor=SYSTEM, at=at, owner=draft)


def drop_photo(*, draft: Draft, pk: int, at: datetime) -> None:
    """Take a photo out of a draft again."""
    discard(StoredFile.objects.of(draft).filter(pk=pk), actor=SYSTEM, at=at)


def answers_of(draft: Draft) -> Answers:
    """What was typed, by the form's fields."""
    answers: Answers = json.loads(draft.answers) if draft.answers else {}
    return answers


def key_of(draft: Draft, *, network: str) -> str:
    """What makes a draft the same as another: the matter and the person; for who says nothing of themselves, the account or the network."""
    given = answers_of(draft)
    who = phone_key(given.get("phone", "")) or given.get("email", "").lower() or given.get("name", "")
    said = (given.get(each, "") for each in ("kind", "respondent_name", "subject", "mall", "place", "happened_on"))
    text = "".join(clean(given.get("description", "")).split())
    return sameness("web", text, *said, who or draft.account_id or network)


def person_key(draft: Draft, network: str) -> str:
    """A keyed digest of who sends, to count by."""
    given = answers_of(draft)
    return digest("complaints.sender", phone_key(given.get("phone", "")) or given.get("email", "").lower() or network)


def is_known(key: str) -> bool:
    """Whether something with this key is being handled already."""
    return Arrival.objects.filter(key=key, case__in=Case.objects.open()).exists()


@transaction.atomic
def send_draft(*, draft: Draft, network: str, at: datetime) -> Sent:
    """Make the case of a draft, once: sent again it gives the same case, and so does the same text of the same person from elsewhere.

    `network`: where it comes from, only to tell visitors apart who say nothing of themselves. Raises what `receive_case` raises.
    """
    draft = Draft.objects.select_for_update(of=("self",)).select_related("case").get(pk=draft.pk)
    if draft.case:
        return Sent(draft.case, not draft.repeated)
    given = answers_of(draft)
    if not given:
        raise Refused(_("填写的内容已经过期，请重新填写。"))
    intake = Intake(matter_of(given), Channel.WEB, at, [person_of(given, draft.account_id)])
    sent = receive_once(key=key_of(draft, network=network), intake=intake, at=at)
    photos = StoredFile.objects.of(draft).order_by("pk")
    if sent.is_new:
        for photo in photos:
            attach_stored(
                case=sent.case,
                file=photo,
                title=photo.display_name,
                actor=SYSTEM,
                at=at,
                from_person=True,
                held_by=draft,
            )
    else:
        discard(photos, actor=SYSTEM, at=at)
    draft.case, draft.repeated, draft.answers = sent.case, not sent.is_new, ""
    draft.save(update_fields=["case", "repeated", "answers"])
    return sent


def matter_of(given: Mapping[str, Any]) -> Matter:
    """The matter of a draft's answers. What has gone meanwhile (a category, a mall) is left out: officers fill it in."""
    subject = Subject.objects.filter(code=given.get("subject") or "-").first()
    return Matter(
        kind=given["kind"],
        description=given["description"],
        demand=given.get("demand", ""),
        demand_text=given.get("demand_text", ""),
        category=Category.objects.filter(code=given.get("category") or "-", public=True, is_active=True).first(),
        happened_on=date.fromisoformat(given["happened_on"]) if given.get("happened_on") else None,
        subject=subject,
        respondent_name=given.get("respondent_name", ""),
        mall=Organisation.objects.filter(code=given.get("mall") or "-").first(),
        place=given.get("place", ""),
    )


def person_of(given: Mapping[str, Any], account_id: int | None = None) -> Person:
    """The person of a draft's answers."""
    named = {each: given.get(each, "") for each in ("name", "phone", "address", "email")}
    return Person(
        **named,
        anonymous=bool(given.get("anonymous")) or not any(named.values()),
        may_call_back=bool(given.get("may_call_back")) and bool(named["phone"]),
        account_id=account_id,
    )


@transaction.atomic
def add_words(
    *, case: Case, text: str, uploads: Sequence[File] = (), at: datetime, channel: str = Channel.WEB, also: bool = False
) -> Case:
    """What the person adds to a case later: words, photos or both (`also`: photos that the caller attaches). Whoever handles it is told.

    Raises Refused for nothing, for too much, once the case has ended, and what `attach_file` raises.
    """
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    text = clean(text)
    if not text and not uploads and not also:
        raise Refused(_("请写明要补充的情况，或者选择照片。"))
    if len(text) > LONGEST_ADDED:
        raise Refused(_("补充的内容最多 %(most)s 个字。") % {"most": f"{LONGEST_ADDED:,}"})
    if not case.is_open:
        raise Refused(
            _("这一件已经答复或者结束，不能再补充。有新情况，请新填一件，并写上原来的编号 %(number)s。")
            % {"number": case.number}
        )
    if case.events.filter(kind="added").count() >= MOST_ADDED:
        raise Refused(_("这一件已经补充了 %(most)s 次。请等承办人员联系您。") % {"most": MOST_ADDED})
    for upload in uploads:
        attach_file(case=case, upload=upload, title=upload.name or "", actor=SYSTEM, at=at, from_person=True)
    way = Channel(channel).label
    tell(case, "added", _("诉求人补充（%(way)s）") % {"way": way}, actor=SYSTEM, at=at, text=text, public=True)
    record("complaints.case.added", case, actor=SYSTEM, at=at, files=len(uploads))
    _say(
        case,
        f"complaints.added:{case.pk}:{case.events.count()}",
        _("诉求人补充了 %(number)s") % {"number": case.number},
        at,
    )
    return case


@transaction.atomic
def withdraw(*, case: Case, reason: str, at: datetime) -> Case:
    """The person does not want it handled any more. A lead ends at once; of a case the unit is told, which ends it by the book (art. 23 item 1);
    a report goes on, because it is about the law and not about the person. Raises Refused without a reason, or once it has ended."""
    case = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    reason = clean(reason)[:500]
    if not reason:
        raise Refused(_("请写一句为什么撤回，例如“商家已经退款”。"))
    if not case.is_open:
        raise Refused(_("这一件已经答复或者结束，不用撤回。"))
    if case.events.filter(kind="withdrawn").exists():
        raise Refused(_("已经请求撤回，承办单位会按程序结束。"))
    tell(case, "withdrawn", _("诉求人请求撤回"), actor=SYSTEM, at=at, text=reason, public=True)
    record("complaints.case.withdrawn", case, actor=SYSTEM, at=at)
    if case.status == CaseStatus.LEAD and case.kind != Kind.REPORT:
        return dismiss_lead(case=case, reason=_("诉求人撤回"), actor=SYSTEM, at=at)
    _say(case, f"complaints.withdrawn:{case.pk}", _("诉求人请求撤回 %(number)s") % {"number": case.number}, at)
    return case


def _say(case: Case, key: str, title: str, at: datetime) -> None:
    """Tell whoever handles the case; the dispatchers while nobody does."""
    if case.officer_id:
        people = [case.officer_id]
    elif case.unit_id:
        people = people_holding(May.HANDLE, organisation_ids=[case.unit_id], at=at)
    else:
        people = people_holding(May.DISPATCH, organisation_ids=None, at=at)
    notify(people, key=key, title=title, at=at, link=reverse("complaints:case", args=[case.pk]))


def forget_drafts(*, at: datetime) -> int:
    """Remove drafts that nobody sent within a day, with their photos, and the empty shells of those that were sent. Returns how many."""
    count = 0
    for draft in Draft.objects.filter(saved_at__lt=at - KEPT)[:1000]:
        with transaction.atomic():
            discard(StoredFile.objects.of(draft), actor=SYSTEM, at=at)
            draft.delete()
        count += 1
    return count
