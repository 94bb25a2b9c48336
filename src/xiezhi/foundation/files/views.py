from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.files import links
from xiezhi.foundation.files.kinds import CONTENT_TYPES, Kind
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.workflow.errors import Refused


@require_GET
@needs(SIGNED_IN)
def download(request: DeskRequest, pk: int) -> FileResponse:
    """A file of something that this person sees."""
    return handed_out(get_object_or_404(StoredFile.objects.visible_to(request.actor), pk=pk))


@require_GET
def short(request: HttpRequest, token: str) -> FileResponse:
    """The file behind a link of five minutes, for whoever holds the link."""
    stored = links.behind(token)
    if stored is None:
        raise Http404(_("链接已经过期。请回到原来的页面重新打开。"))
    return handed_out(stored)


def handed_out(stored: StoredFile) -> FileResponse:
    """The content as an attachment of its true kind, never shown in our own origin and never guessed at. Raises Refused when it is not on
    the disk any more. For views that have checked who asks."""
    try:
        content = stored.path.open("rb")
    except FileNotFoundError as error:
        raise Refused(_("文件内容不在服务器上了，可能没有随备份恢复。请联系管理员。")) from error
    response = FileResponse(
        content,
        as_attachment=True,
        filename=stored.display_name,
        content_type=CONTENT_TYPES[Kind(stored.kind)],
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
