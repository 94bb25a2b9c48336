"""Links to one file that work for a few minutes without signing in, for a browser that cannot share the session (WeChat's, a download tool)."""

from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from xiezhi.foundation.files.models import StoredFile

LIFETIME = timedelta(minutes=5)
_signer = TimestampSigner(salt="xiezhi.files.link")


def short_link(stored: StoredFile) -> str:
    """A path that hands out `stored` for the next five minutes to whoever holds it. The caller has checked who asks."""
    return reverse("files:short", args=[token_of(stored)])


def token_of(stored: StoredFile) -> str:
    """The part of the link that says which file, and since when."""
    return _signer.sign(str(stored.pk))


def behind(token: str) -> StoredFile | None:
    """The file that a link made by `short_link` leads to; None when it is too old, altered or gone."""
    try:
        pk = int(_signer.unsign(token, max_age=LIFETIME))
    except (BadSignature, ValueError):
        return None
    return StoredFile.objects.filter(pk=pk).first()
