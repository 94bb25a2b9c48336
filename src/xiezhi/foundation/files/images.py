"""Pictures are drawn anew: what is stored is the picture alone, without place, device, comment or anything appended."""

import io
from pathlib import Path

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from xiezhi.foundation.files.kinds import Kind
from xiezhi.foundation.workflow.errors import Refused

MOST_PIXELS = 60_000_000
"""A working default. A phone of 50 megapixels passes; 60 million pixels take about 240 MB while they are drawn."""
LONGEST_SIDE = 4_096
FORMATS = {Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.WEBP: "WEBP"}


def redrawn(path: Path, kind: Kind) -> bytes:
    """The picture at `path` in the same format, upright, its longer side at most 4,096 pixels, its first frame only, without any
    metadata. Raises Refused for a picture that cannot be read to its end, or of more than MOST_PIXELS."""
    try:
        with Image.open(path, formats=[FORMATS[kind]]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise _too_many()
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEG alone: decode no larger than is kept
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return _written(picture, kind)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many() from None
    except Refused:
        raise
    except Exception as error:  # decoders of hostile input raise whatever they like
        raise Refused(_("图片不完整或者已损坏，打不开。请重新拍摄或导出后再上传。")) from error


def _too_many() -> Refused:
    return Refused(
        _("图片超过 %(millions)s 万像素，没有接收。请缩小后重新上传。") % {"millions": MOST_PIXELS // 10_000}
    )


def _written(picture: Image.Image, kind: Kind) -> bytes:
    see_through = kind is not Kind.JPEG and (picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info)
    plain = picture.convert("RGBA" if see_through else "L" if picture.mode in {"1", "L"} else "RGB")
    plain.info = {}  # Pillow writes EXIF, XMP, ICC and comments that it finds here
    out = io.BytesIO()
    plain.save(out, FORMATS[kind], **({} if kind is Kind.PNG else {"quality": 88}))
    return out.getvalue()
