"""谁看得到什么: which field of what a person sends is seen by whom. One table: the public form prints it, and what leaves this room obeys it.

`told_to_mall` (services/malls.py), the Open311 answers (views/open311) and the desk's own pages ask `sees`; the personal fields are opened
only by `open_party`, which leaves a trace (留痕).
"""

from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.texts import mask_personal
from xiezhi.domains.complaints.words import Channel, Kind


class Audience(models.TextChoices):
    PERSON = "person", _("您自己（凭编号和查询码）")
    DESK = "desk", _("派单员和承办单位")
    MALL = "mall", _("所在商场")
    RESPONDENT = "respondent", _("被反映的商家")
    EVERYBODY = "everybody", _("公众")


class Sees(models.TextChoices):
    FULL = "full", _("看得到")
    MASKED = "masked", _("隐去号码后看得到")
    LOGGED = "logged", _("写明用途才能打开，每次留痕")
    TOLD = "told", _("调解需要时由承办单位转告")
    NOTHING = "nothing", _("看不到")


@dataclass(frozen=True)
class Field:
    """A field of what is sent. The marks are for a matter that is not a report (举报)."""

    name: str
    label: str | Promise
    desk: Sees
    mall: Sees
    respondent: Sees
    everybody: Sees
    personal: bool = False


FIELDS = (
    Field("kind", _("类型和编号"), Sees.FULL, Sees.FULL, Sees.FULL, Sees.FULL),
    Field("title", _("标题"), Sees.FULL, Sees.MASKED, Sees.TOLD, Sees.NOTHING),
    Field("description", _("发生了什么"), Sees.FULL, Sees.MASKED, Sees.TOLD, Sees.MASKED),
    Field("demand_text", _("您的请求"), Sees.FULL, Sees.MASKED, Sees.TOLD, Sees.NOTHING),
    Field("respondent", _("商家和商场"), Sees.FULL, Sees.FULL, Sees.FULL, Sees.NOTHING),
    Field("place", _("地点、日期和位置"), Sees.FULL, Sees.NOTHING, Sees.TOLD, Sees.MASKED),
    Field("name", _("姓名"), Sees.LOGGED, Sees.NOTHING, Sees.TOLD, Sees.NOTHING, personal=True),
    Field("phone", _("电话"), Sees.LOGGED, Sees.NOTHING, Sees.NOTHING, Sees.NOTHING, personal=True),
    Field("address", _("地址和电子邮箱"), Sees.LOGGED, Sees.NOTHING, Sees.NOTHING, Sees.NOTHING, personal=True),
    Field("photos", _("照片和材料"), Sees.FULL, Sees.NOTHING, Sees.TOLD, Sees.NOTHING),
    Field("progress", _("办理进度和答复"), Sees.FULL, Sees.NOTHING, Sees.TOLD, Sees.MASKED),
)
_BY_NAME = {each.name: each for each in FIELDS}
PUBLISHED = frozenset({Channel.OPEN311})
"""Only what came by Open311, whose clients publish what they send, is shown to everybody; nothing sent by other ways is."""


def sees(field: str, audience: str, *, kind: str, channel: str) -> Sees:
    """What `audience` sees of a field. Of a report nobody outside the desk sees anything (art. 37)."""
    about = _BY_NAME[field]
    if audience == Audience.PERSON:
        return Sees.FULL
    if audience == Audience.DESK:
        return about.desk
    if kind == Kind.REPORT:
        return Sees.NOTHING
    if audience == Audience.EVERYBODY:
        return about.everybody if channel in PUBLISHED else Sees.NOTHING
    return about.mall if audience == Audience.MALL else about.respondent


def shown(text: str, field: str, audience: str, *, kind: str, channel: str) -> str:
    """`text` as `audience` may read it: as it is, with numbers masked, or not at all. What a person must tell is for people to tell."""
    found = sees(field, audience, kind=kind, channel=channel)
    if found == Sees.FULL:
        return text
    return mask_personal(text) if found == Sees.MASKED else ""


@dataclass(frozen=True)
class Row:
    """A line of the printed table: an audience, and the names of what it sees, by how it sees it."""

    audience: str | Promise
    parts: tuple[tuple[Sees, tuple[str | Promise, ...]], ...]


def table(*, kind: str, channel: str) -> list[Row]:
    """The table for people who are about to send something: every audience and every field."""
    rows = []
    for audience in Audience:
        marks = [(sees(each.name, audience, kind=kind, channel=channel), each.label) for each in FIELDS]
        parts = [(how, tuple(label for mark, label in marks if mark == how)) for how in Sees]
        rows.append(Row(audience.label, tuple((how, labels) for how, labels in parts if labels)))
    return rows
