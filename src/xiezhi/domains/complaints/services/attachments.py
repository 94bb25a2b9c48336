from datetime import datetime

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Attachment, Case
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.services.story import tell
from xiezhi.domains.complaints.texts import clean
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.files.services import store_upload
from xiezhi.foundation.workflow.errors import Refused

MOST = 20
KINDS = ("jpg", "png", "webp", "pdf", "docx", "xlsx")


@transaction.atomic
def attach_file(*, case: Case, upload: File, title: str, actor: Actor, at: datetime) -> Attachment:
    """Add a photo or paper to a case. Raises Refused for the twenty-first, and what `store_upload` raises."""
    if not actor.can(May.REGISTER):
        actor.require(May.HANDLE)
    return attach_stored(
        case=case, file=store_upload(upload, kinds=KINDS, actor=actor, at=at), title=title, actor=actor, at=at
    )


@transaction.atomic
def attach_stored(
    *, case: Case, file: StoredFile, title: str, actor: Actor, at: datetime, from_person: bool = False
) -> Attachment:
    """Add a file that is stored already (`from_person`: it came with what the person sent)."""
    if case.attachments.count() >= MOST:
        raise Refused(_("每件诉求最多 %(most)s 个附件。") % {"most": MOST})
    added = Attachment.objects.create(
        case=case, file=file, title=clean(title)[:120], from_person=from_person, added_at=at
    )
    tell(case, "attached", _("添加附件：%(name)s") % {"name": added}, actor=actor, at=at)
    record("complaints.case.attached", case, actor=actor, at=at, file=file.pk)
    return added
