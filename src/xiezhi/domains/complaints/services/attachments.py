from datetime import datetime

from django.core.files.base import File
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Attachment, Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.kinds import EVIDENCE, Kind
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.files.services import store_upload, tie
from xiezhi.foundation.workflow.errors import Refused

MOST = 20
KINDS = (*EVIDENCE, Kind.DOCX, Kind.XLSX)


@transaction.atomic
def attach_file(
    *, case: Case, upload: File, title: str, actor: Actor, at: datetime, from_person: bool = False
) -> Attachment:
    """Add a photo or paper to a case; whoever sees the case sees it. The system may, for what a person sent (`from_person`).

    Raises Refused for the twenty-first, and what `store_upload` raises.
    """
    if not actor.is_system and not actor.can(May.REGISTER):
        actor.require(May.HANDLE)
    if case.attachments.count() >= MOST:
        raise Refused(_("每件诉求最多 %(most)s 个附件。") % {"most": MOST})
    stored = store_upload(upload, kinds=KINDS, actor=actor, at=at, owner=case)
    return _enter(case, stored, title, from_person, actor=actor, at=at)


@transaction.atomic
def attach_stored(
    *,
    case: Case,
    file: StoredFile,
    title: str,
    actor: Actor,
    at: datetime,
    from_person: bool = False,
    held_by: Model | None = None,
) -> Attachment:
    """Add a file that is stored already and belongs to nothing yet, or to the draft `held_by`."""
    stored = tie(file, to=case, actor=actor, at=at, held_by=held_by)
    return _enter(case, stored, title, from_person, actor=actor, at=at)


def _enter(case: Case, file: StoredFile, title: str, from_person: bool, *, actor: Actor, at: datetime) -> Attachment:
    added = Attachment.objects.create(
        case=case, file=file, title=clean(title)[:120], from_person=from_person, added_at=at
    )
    tell(case, "attached", _("添加附件：%(name)s") % {"name": added}, actor=actor, at=at)
    record("complaints.case.attached", case, actor=actor, at=at, file=file.pk)
    return added
