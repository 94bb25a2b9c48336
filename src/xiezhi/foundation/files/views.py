from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.files.kinds import CONTENT_TYPES, Kind
from xiezhi.foundation.files.models import StoredFile


@require_GET
@needs(SIGNED_IN)
def download(request: DeskRequest, pk: int) -> FileResponse:
    """The file as it was uploaded: always as an attachment, never shown in our own origin."""
    stored = get_object_or_404(StoredFile.objects.visible_to(request.actor), pk=pk)
    response = FileResponse(
        stored.path.open("rb"),
        as_attachment=True,
        filename=stored.display_name,
        content_type=CONTENT_TYPES[Kind(stored.kind)],
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
