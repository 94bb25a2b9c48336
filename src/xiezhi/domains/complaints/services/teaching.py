"""识别模型: learned from the desk's own decisions or from a labelled table, kept by version, put into use and taken out again."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.complaints.models import Case, Category, ModelUse, TextModel
from xiezhi.domains.complaints.permissions import ComplaintPermission as May
from xiezhi.domains.complaints.queries.loaded import use_now
from xiezhi.engines.text import modelfile
from xiezhi.engines.text.errors import InvalidInput
from xiezhi.engines.text.folds import near_duplicates
from xiezhi.engines.text.model import Model
from xiezhi.engines.text.training import FOLDS, train
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.files.kinds import SHEETS
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.files.services import receive, store_received
from xiezhi.foundation.files.sheets.cells import as_text
from xiezhi.foundation.files.sheets.reading import read_sheet
from xiezhi.foundation.jobs.handlers import JobContext, handles
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.jobs.services import enqueue
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale

JOB_KIND = "complaints.train"
MOST_ROWS = 20_000
LARGEST_BYTES = 100_000_000
LONGEST = 20_000
TOLD = 20
LEFT_OUT = "other"
"""A category that says nothing of a text is not learned."""
TEXT_TITLES, LABEL_TITLES = ("text", "诉求内容", "内容"), ("label", "问题类别", "类别")


@dataclass(frozen=True)
class Rows:
    """Texts with the code of their category; `few`: categories left out because fewer than five different texts bear them."""

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    few: tuple[str, ...]


def own_rows() -> Rows:
    """The newest decided cases: text and category, as a unit took them in hand. A model keeps no text of them."""
    decided = Case.objects.filter(signed_at__isnull=False, category__is_active=True).exclude(category__code=LEFT_OUT)
    rows = decided.exclude(description="").order_by("-pk").values_list("description", "category__code")[:MOST_ROWS]
    return _enough([(text[:LONGEST], code) for text, code in rows])


def _enough(rows: Sequence[tuple[str, str]], *, closely: bool = True) -> Rows:
    """The rows whose category can be learned; `closely`: near-duplicates count once, which takes a while."""
    different: dict[str, set[str]] = {}
    for text, code in rows:
        different.setdefault(code, set()).add(text)
    few = {code for code, texts in different.items() if len(texts) < FOLDS}
    texts = [text for text, code in rows if code not in few]
    labels = [code for _text, code in rows if code not in few]
    groups = near_duplicates(texts).tolist() if texts and closely else list(range(len(texts)))
    kinds = Counter(code for code, _group in set(zip(labels, groups, strict=True)))
    few |= {code for code, count in kinds.items() if count < FOLDS}
    kept = [(text, code) for text, code in zip(texts, labels, strict=True) if code not in few]
    return Rows(tuple(text for text, _code in kept), tuple(code for _text, code in kept), tuple(sorted(few)))


@transaction.atomic
def train_in_background(*, actor: Actor, at: datetime) -> Job:
    """Have a model learned from the desk's decided cases; it is kept as a new version, not put into use."""
    actor.require(May.TEACH)
    title = _("从本台已办诉求学习识别模型")
    return enqueue(JOB_KIND, title=title, actor=actor, at=at, link=reverse("complaints:models"))


def receive_file(*, upload: File, note: str, actor: Actor, at: datetime) -> TextModel | Job:
    """A model file becomes a version at once; a labelled table (columns text and label) is checked and then learned from by a job.

    Raises Refused for a file that is neither, a damaged model or one of another version, labels that are no categories, empty cells, and
    too few texts; nothing is saved then.
    """
    actor.require(May.TEACH)
    upload.seek(0)
    if upload.read(len(modelfile.NAME)) == modelfile.NAME:
        if upload.size and upload.size > LARGEST_BYTES:
            raise Refused(_("模型文件超过 %(most)s MB。") % {"most": LARGEST_BYTES // 1_000_000})
        upload.seek(0)
        return keep_model(data=upload.read(), source=TextModel.Source.FILE, note=note, actor=actor, at=at)
    received = receive(upload, kinds=SHEETS)
    with transaction.atomic():
        stored = store_received(received, actor=actor, at=at)
        rows = rows_of(stored.path, closely=False)
        if len(set(rows.labels)) < 2:
            raise Refused(_too_few(rows))
        title = _("从标注表学习识别模型：%(name)s") % {"name": stored.display_name}
        link = reverse("complaints:models")
        return enqueue(JOB_KIND, title=title, actor=actor, at=at, link=link, file_id=stored.pk, note=note)


def rows_of(path: Path, *, closely: bool = True) -> Rows:
    """The rows of a labelled table; a label is a category's code or name. Raises Refused with row numbers for what cannot be used."""
    codes = {name: each.code for each in Category.objects.filter(is_active=True) for name in (each.name, each.code)}
    found, faults = [], []
    with read_sheet(path, labels=[*TEXT_TITLES, *LABEL_TITLES]) as sheet:
        at_text, at_label = _column(sheet.header, TEXT_TITLES), _column(sheet.header, LABEL_TITLES)
        for row in sheet.rows:
            text, label = (as_text(row.values[at]) if at < len(row.values) else "" for at in (at_text, at_label))
            if not text.strip() or not label.strip():
                faults.append(_("第 %(row)s 行：内容或者类别是空的。") % {"row": row.number})
            elif label.strip() not in codes:
                known = _("第 %(row)s 行：“%(label)s”不是本系统的问题类别，请改成类别的名称或者代码。")
                faults.append(known % {"row": row.number, "label": label.strip()[:40]})
            else:
                found.append((text[:LONGEST], codes[label.strip()]))
            if len(found) > MOST_ROWS:
                raise Refused(_("最多 %(most)s 行，请只留较新的。") % {"most": f"{MOST_ROWS:,}"})
    if faults:
        more = [_("还有 %(n)s 行同样的问题。") % {"n": len(faults) - TOLD}] if len(faults) > TOLD else []
        raise Refused("\n".join([*faults[:TOLD], *more]))
    return _enough(found, closely=closely)


def _column(header: Sequence[str], titles: Sequence[str]) -> int:
    places = [at for at, each in enumerate(header) if each.strip().lower() in titles]
    if len(places) != 1:
        raise Refused(
            _("标注表第一行要有“%(text)s”和“%(label)s”两列，各一次；现在是：%(have)s。")
            % {"text": TEXT_TITLES[0], "label": LABEL_TITLES[0], "have": _("、").join(filter(None, header))[:200]}
        )
    return places[0]


def _too_few(rows: Rows) -> str:
    return _(
        "可以学习的诉求太少：至少要有两个类别、每个类别至少 %(least)s 件内容不同的已办诉求。现在够数的类别有 %(n)s 个。在此之前类别按关键词建议。"
    ) % {"least": FOLDS, "n": len(set(rows.labels))}


@handles(JOB_KIND)
def train_job(context: JobContext) -> dict[str, Any]:
    """The worker's part: learn, measure out of fold, then keep the version behind the job's fence."""
    file_id = context.payload.get("file_id")
    context.report(_("读取诉求"), 0, 1)
    rows = rows_of(StoredFile.objects.get(pk=file_id).path) if file_id else own_rows()
    if len(set(rows.labels)) < 2:
        raise Refused(_too_few(rows))
    model = train(rows.texts, rows.labels, on_progress=_in_words(context))
    source = TextModel.Source.ROWS if file_id else TextModel.Source.CASES
    note = context.payload.get("note", "") or (
        _("类别太少件数而没有学习：%(names)s") % {"names": _("、").join(rows.few)} if rows.few else ""
    )
    with transaction.atomic():
        context.fence()
        kept = keep_model(data=modelfile.dump(model), source=source, note=note, actor=context.actor, at=timezone.now())
    return {"version": kept.version, "macro_f1": kept.macro_f1}


def _in_words(context: JobContext) -> Callable[[str, int, int], None]:
    phases = {"compare": _("比较重复"), "learn": _("学习和检验")}
    return lambda phase, done, total: context.report(phases.get(phase, phase), done, total)


def read_model(data: bytes) -> Model:
    """The model in a file's bytes. Raises Refused, in words for people, for what is no model, is of another version, or was changed."""
    words = data.partition(b"\n")[0][:200].split(b" ")
    try:
        return modelfile.load(data)
    except InvalidInput:
        if words[0] != modelfile.NAME:
            raise Refused(_("这不是识别模型文件。请上传“xiezhi complaints train”生成的文件，或者标注表。")) from None
        if len(words) > 1 and words[1] != b"%d" % modelfile.VERSION:
            raise Refused(
                _("模型文件是第 %(theirs)s 版格式，本系统读第 %(ours)s 版。请用同一版本的程序重新训练。")
                % {"theirs": words[1].decode("ascii", "replace")[:8], "ours": modelfile.VERSION}
            ) from None
        raise Refused(_("模型文件已损坏或者被改动（摘要不符）。请重新复制或者重新训练。")) from None


@transaction.atomic
def keep_model(*, data: bytes, source: str, note: str, actor: Actor, at: datetime) -> TextModel:
    """Keep a model as the next version; it is not in use yet. Raises Refused for bytes that are no model (`read_model`), labels that are
    no categories here, and a model that is kept already."""
    actor.require(May.TEACH)
    model = read_model(data)
    strange = sorted(set(model.labels) - set(Category.objects.values_list("code", flat=True)))
    if strange:
        raise Refused(
            _("模型里的标签不是本系统的问题类别代码：%(names)s。请用类别代码作标签重新训练。")
            % {"names": _("、").join(strange[:TOLD])}
        )
    digest = modelfile.digest(data)
    known = TextModel.objects.filter(digest=digest).first()
    if known:
        raise Refused(_("同样的模型已经有了：第 %(n)s 版。") % {"n": known.version})
    last = TextModel.objects.select_for_update().order_by("-version").first()
    facts = asdict(model.facts)
    kept: TextModel = TextModel.objects.create(
        version=last.version + 1 if last else 1, digest=digest, data=data, source=source, note=note[:200], facts=facts,
        macro_f1=model.facts.out_of_fold.get("macro_f1"), made_at=at, made_by_id=actor.user_id,
    )  # fmt: skip
    record("complaints.model.kept", kept, actor=actor, at=at, version=kept.version, digest=digest, texts=facts["texts"])
    return kept


@transaction.atomic
def use_model(*, model: TextModel | None, seen: int, actor: Actor, at: datetime) -> ModelUse:
    """Put a version into use, or (None) go back to keywords. `seen`: the last entry of the uses when the person looked, 0 for none.

    The earlier entry stays, so undoing is using what was used before. Raises AlreadyDone for what is in use, Stale where somebody else
    changed it meanwhile.
    """
    actor.require(May.TEACH)
    list(TextModel.objects.select_for_update().order_by("pk").values_list("pk", flat=True))  # one at a time
    last = use_now()
    chosen = model.pk if model else None
    if chosen == (last.model_id if last else None):
        raise AlreadyDone(_("已经在用。"))
    if seen != (last.pk if last else 0):
        raise Stale(_("刚刚有人换过识别模型，页面已更新，请再看一眼。"))
    use = ModelUse.objects.create(model=model, at=at, by_id=actor.user_id)
    record("complaints.model.used", use, actor=actor, at=at, version=model.version if model else 0)
    return use
