"""公众页面: tell us what happened, see what becomes of it. No account; this browser knows the cases it sent or opened by number and code."""

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from xiezhi.domains.complaints.disclosure import table
from xiezhi.domains.complaints.forms_public import (
    AddForm,
    AppealForm,
    LookUpForm,
    RateForm,
    WithdrawForm,
    candidates_for,
)
from xiezhi.domains.complaints.models import Case, Draft
from xiezhi.domains.complaints.queries.public import progress_of
from xiezhi.domains.complaints.services import callbacks, public
from xiezhi.domains.complaints.texts import clean
from xiezhi.domains.complaints.words import Channel, Demand, Kind
from xiezhi.domains.registry.models import Subject
from xiezhi.foundation.access.guards import public as public_page
from xiezhi.foundation.access.limits import network_of, within
from xiezhi.foundation.files.models import StoredFile
from xiezhi.foundation.files.uploads import oversized_in
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.forms import saved
from xiezhi.foundation.workflow.errors import Refused

DRAFTS, CASES = "complaints_drafts", "complaints_cases"
MOST_KNOWN = 50
STEPS = (gettext_lazy("填写"), gettext_lazy("核对"), gettext_lazy("回执"))
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST_KEPT = 200_000


def _remember(request: HttpRequest, where: str, what: Any) -> None:
    known = [each for each in request.session.get(where, []) if each != what]
    request.session[where] = [*known, what][-MOST_KNOWN:]


def _too_often() -> str:
    return _("提交得太频繁了，请过一会儿再试，填写的内容还在。着急的，请直接拨打 12315 或者 12345。")


@require_GET
@public_page
def home(request: HttpRequest) -> HttpResponseBase:
    """What can be done here, and the official ways."""
    return render(request, "complaints/public/home.html", {"at": _place_code(request.GET.get("at", ""))})


def _place_code(code: str) -> str:
    """A merchant's or a mall's code from a QR code's address; empty for none that we know."""
    code = clean(code)[:20]
    known = code and (Subject.objects.filter(code=code).exists() or Organisation.objects.filter(code=code).exists())
    return code if known else ""


def _from_place(code: str) -> dict[str, str]:
    """What a QR code on a door fills in: the merchant with its mall, or the mall."""
    subject = Subject.objects.filter(code=code or "-").first()
    if subject:
        return {"subject": subject.code, "respondent_name": subject.name}
    mall = Organisation.objects.filter(code=code or "-", kind=Organisation.Kind.ENTERPRISE).first()
    return {"mall": mall.code} if mall else {}


@require_http_methods(["GET", "POST"])
@public_page
def new(request: HttpRequest) -> HttpResponseBase:
    """Fill in one matter. Every button keeps what is typed and the photos; only the last one asks for everything to be right."""
    if request.method == "POST":
        return _filled_in(request)
    draft = _draft(request, request.GET.get("draft", ""))
    given: dict[str, Any] = public.answers_of(draft) if draft else _from_place(_place_code(request.GET.get("at", "")))
    kind = request.GET.get("kind", "")
    if not draft and kind in Kind.values:
        given["kind"] = kind
    return _form_page(request, _form(given, initial=given), draft.token if draft else public.new_token(), draft)


def _draft(request: HttpRequest, token: str) -> Draft | None:
    if token not in request.session.get(DRAFTS, []):
        return None
    return Draft.objects.filter(token=token).first()


def _form(given: Any, *args: Any, **kwargs: Any) -> AppealForm:
    found = candidates_for(given.get("respondent_name", ""), given.get("subject", ""))
    return AppealForm(*args, candidates=found, **kwargs)


def _filled_in(request: HttpRequest) -> HttpResponseBase:
    now, token = timezone.now(), request.POST.get("token", "")
    if not TOKEN.fullmatch(token) or (token not in request.session.get(DRAFTS, []) and _exists(token)):
        token = public.new_token()
    draft, form = _draft(request, token), _form(request.POST, request.POST, request.FILES)
    if draft and draft.case:
        return redirect("appeals:review", token)
    if draft is None and not within(request, "complaints.draft"):
        form.add_error(None, _too_often())
        return _form_page(request, form, token, None)
    draft = public.save_draft(token=token, answers=_typed(request, form), account_id=request.user.pk, at=now)
    _remember(request, DRAFTS, token)
    act = request.POST.get("act", "review")
    if act.startswith("drop-") and act[5:].isdecimal():
        public.drop_photo(draft=draft, pk=int(act[5:]), at=now)
    valid = form.is_valid()
    refused = _take_photos(request, form, draft) if "photos" not in form.errors else ""
    if act == "review" and valid and not refused:
        return redirect("appeals:review", token)
    if act != "review":
        form = _form(request.POST, initial=public.answers_of(draft))
        if refused:
            messages.error(request, refused)
    elif refused:
        form.add_error("photos", refused)
    return _form_page(request, form, token, draft)


def _exists(token: str) -> bool:
    return Draft.objects.filter(token=token).exists()


def _typed(request: HttpRequest, form: AppealForm) -> dict[str, Any]:
    """What was typed, right or wrong, as text; ticks as truth."""
    ticks = {"anonymous", "may_call_back"}
    typed: dict[str, Any] = {
        name: clean(request.POST.get(name, "")[:LONGEST_KEPT])
        for name in form.fields
        if name not in ticks and name != "photos"
    }
    return {**typed, **{name: bool(request.POST.get(name)) for name in ticks}}


def _take_photos(request: HttpRequest, form: AppealForm, draft: Draft) -> str:
    """Take in what was chosen; why not, when it was refused."""
    if large := oversized_in(request):
        return large.message
    uploads = form.cleaned_data.get("photos") or []
    try:
        if uploads:
            public.add_photos(draft=draft, uploads=uploads, at=timezone.now())
    except Refused as refusal:
        return str(refusal)
    return ""


def _form_page(request: HttpRequest, form: AppealForm, token: str, draft: Draft | None) -> HttpResponseBase:
    context = {
        "wizard": STEPS,
        "form": form,
        "token": token,
        "photos": StoredFile.objects.of(draft).order_by("pk") if draft else [],
        "table": table(kind=Kind.COMPLAINT, channel=Channel.WEB),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "complaints/public/new.html", context, status=status)


@require_http_methods(["GET", "POST"])
@public_page
def review(request: HttpRequest, token: str) -> HttpResponseBase:
    """Everything once more, with who will see it; then it is sent, once."""
    draft = _draft(request, token)
    if draft is None:
        raise Http404
    if draft.case_id:
        return _sent_page(request, draft)
    given = public.answers_of(draft)
    form = _form(given, given)
    form.fields.pop("photos")
    if not form.is_valid():
        return redirect(f"{reverse('appeals:new')}?draft={token}")
    refused = ""
    if request.method == "POST":
        try:
            return _send(request, draft)
        except Refused as refusal:
            refused = str(refusal)
    context = {
        "wizard": STEPS,
        "token": token,
        "lines": _lines(given, form),
        "photos": StoredFile.objects.of(draft).order_by("pk"),
        "table": table(kind=given["kind"], channel=Channel.WEB),
        "is_report": given["kind"] == Kind.REPORT,
        "missing": given["kind"] == Kind.COMPLAINT and not (given.get("name") and given.get("address")),
        "refused": refused,
    }
    return render(request, "complaints/public/review.html", context, status=422 if refused else 200)


def _send(request: HttpRequest, draft: Draft) -> HttpResponseBase:
    network = network_of(request)
    key = public.key_of(draft, network=network)
    # What is here already costs nothing but an answer; only what is new is counted.
    if not public.is_known(key) and not within(request, "complaints.send", key=public.person_key(draft, network)):
        raise Refused(_too_often())
    sent = public.send_draft(draft=draft, network=network, at=timezone.now())
    draft.refresh_from_db()
    if sent.is_new:
        _remember(request, CASES, sent.case.pk)
    return _sent_page(request, draft)


def _sent_page(request: HttpRequest, draft: Draft) -> HttpResponseBase:
    """The receipt; for what was here already only its number, unless this browser knows the case."""
    assert draft.case is not None
    if draft.case_id in request.session.get(CASES, []):
        return redirect("appeals:receipt", draft.case.number)
    return render(request, "complaints/public/known.html", {"case": draft.case})


def _lines(given: dict[str, Any], form: AppealForm) -> list[tuple[str, str]]:
    """The answers in words, in the order of the form."""
    lines = []
    for name, field in form.fields.items():
        value = given.get(name)
        if value in ("", None, False):
            continue
        choices = dict(getattr(field, "choices", []))
        if name == "category":
            choices = {code: word for _group, few in field.choices if isinstance(few, list) for code, word in few}  # type: ignore[attr-defined]
        text = _("是") if value is True else str(choices.get(value, value))
        if name == "kind":
            text = str(Kind(value).label)
        elif name == "demand":
            text = str(Demand(value).label)
        lines.append((str(field.label), text))
    return lines


def _case(request: HttpRequest, number: str) -> Case:
    """A case that this browser has sent or opened, or that the signed-in person sent; 404 for any other."""
    case = get_object_or_404(
        Case.objects.select_related("unit", "subject", "mall", "category", "duplicate_of"), number=number
    )
    if case.pk in request.session.get(CASES, []):
        return case
    account = request.user.pk
    if account is None or not case.parties.filter(account_id=account).exists():
        raise Http404
    return case


@require_GET
@public_page
def receipt(request: HttpRequest, number: str) -> HttpResponseBase:
    """Number and code, to print or to write down."""
    case = _case(request, number)
    link = request.build_absolute_uri(public.path_to(case))
    context = {"wizard": STEPS, "case": case, "code": public.code_of(case), "link": link}
    return render(request, "complaints/public/receipt.html", context)


@require_GET
@public_page
def progress(request: HttpRequest, number: str) -> HttpResponseBase:
    """Where a case stands, what was said, and what the person can do."""
    return _progress_page(request, _case(request, number))


def _progress_page(request: HttpRequest, case: Case, **forms: Any) -> HttpResponseBase:
    told = progress_of(case)
    context = {
        "case": case,
        "told": told,
        "photos": case.attachments.filter(from_person=True).order_by("pk"),
        "asks_how": callbacks.may_citizen_answer(case, timezone.now()),
        "add": AddForm(),
        "withdraw": WithdrawForm(),
        "rate": RateForm(),
        **forms,
    }
    return render(request, "complaints/public/progress.html", context, status=422 if forms else 200)


@require_http_methods(["POST"])
@public_page
def add(request: HttpRequest, number: str) -> HttpResponseBase:
    """More words or photos."""
    case, form = _case(request, number), AddForm(request.POST, request.FILES)
    if large := oversized_in(request):
        form.add_error("photos", large.message)
    if not within(request, "complaints.add", key=case.number):
        form.add_error(None, _too_often())

    def act(given: dict[str, Any]) -> Case:
        return public.add_words(case=case, text=given["text"], uploads=given["photos"], at=timezone.now())

    if saved(form, act):
        messages.success(request, _("已补充，承办人员会看到。"))
        return redirect("appeals:progress", number)
    return _progress_page(request, case, add=form)


@require_http_methods(["POST"])
@public_page
def withdraw(request: HttpRequest, number: str) -> HttpResponseBase:
    """It is not wanted any more."""
    case, form = _case(request, number), WithdrawForm(request.POST)
    if saved(form, lambda given: public.withdraw(case=case, reason=given["reason"], at=timezone.now())):
        messages.success(request, _("已收到您的撤回请求。"))
        return redirect("appeals:progress", number)
    return _progress_page(request, case, withdraw=form)


@require_http_methods(["POST"])
@public_page
def rate(request: HttpRequest, number: str) -> HttpResponseBase:
    """How it came out, in the person's own word."""
    case, form = _case(request, number), RateForm(request.POST)
    if saved(form, lambda given: callbacks.citizen_answer(case=case, at=timezone.now(), **given)):
        messages.success(request, _("谢谢，已经记下您的评价。"))
        return redirect("appeals:progress", number)
    return _progress_page(request, case, rate=form)


@require_http_methods(["GET", "POST"])
@public_page
def look_up(request: HttpRequest) -> HttpResponseBase:
    """Number and code open a case in this browser."""
    form = LookUpForm(request.POST or None)

    def find(given: dict[str, Any]) -> Case:
        if not within(request, "complaints.look_up", key=given["number"].upper()):
            raise Refused(_("试得太频繁了，请一刻钟后再试。"))
        case = public.case_behind(given["number"], given["code"])
        if case is None:
            raise Refused(_("编号和查询码对不上。请照回执核对：查询码里没有数字 0、1、8、9。"))
        return case

    case = saved(form, find)
    if case:
        _remember(request, CASES, case.pk)
        return redirect("appeals:progress", case.number)
    return render(request, "complaints/public/look_up.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@public_page
def open_link(request: HttpRequest, number: str, code: str) -> HttpResponseBase:
    """The link of a receipt or a letter: this browser knows the case from now on, and the code leaves the address at once."""
    case = public.case_behind(number, code) if within(request, "complaints.look_up", key=number) else None
    if case is None:
        raise Http404
    _remember(request, CASES, case.pk)
    return redirect("appeals:progress", case.number)


@require_GET
@public_page
def mine(request: HttpRequest) -> HttpResponseBase:
    """我的诉求: what this browser sent or opened, and what the signed-in person sent."""
    known = Case.objects.filter(pk__in=request.session.get(CASES, []))
    if request.user.pk:
        known = known | Case.objects.filter(
            pk__in=Case.objects.filter(parties__account_id=request.user.pk).values("pk")
        )
    cases = known.order_by("-arrived_at", "-pk")[:MOST_KNOWN]
    return render(request, "complaints/public/mine.html", {"cases": [(case, progress_of(case)) for case in cases]})
