"""One person's way in, as an administrator keeps it: temporary password, lock, second factor, sessions, telephone number, hand-over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from xiezhi.foundation.access.guards import needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.access.models import Handover, Membership
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.services import handover
from xiezhi.foundation.accounts import services
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.ui.forms import ReasonForm, form_page, saved

MANAGE = AccessPermission.MANAGE_PEOPLE.value


@dataclass(frozen=True)
class Act:
    """One thing that an administrator may do to somebody's account; each asks for a reason first."""

    title: str | Promise
    icon: str
    says: str | Promise
    done: str | Promise
    do: Callable[..., Any]
    style: str = "primary"


ACTS = {
    "password": Act(
        gettext_lazy("发临时密码"),
        "key",
        gettext_lazy("生成一个 24 小时内有效的临时密码，当面告诉本人。原密码马上作废，登录着的设备全部退出；本人登录后必须先改密码。"),
        "",
        services.issue_password,
        "caution",
    ),
    "unlock": Act(
        gettext_lazy("解除锁定"), "lock", gettext_lazy("此人可以马上再试。先确认确实是本人输错了。"), gettext_lazy("锁定已解除。"), services.unlock
    ),
    "factor": Act(
        gettext_lazy("清除二次验证"),
        "shield-check",
        gettext_lazy("删去验证器、通行密钥和备用码，登录着的设备全部退出。必须有二次验证的岗位，下次登录会要求重新设置。请先确认是本人。"),
        gettext_lazy("二次验证已清除。"),
        services.reset_factor,
        "danger",
    ),
    "sessions": Act(
        gettext_lazy("让所有设备退出"),
        "logout",
        gettext_lazy("此人在所有设备上退出登录，没有保存的内容会丢失。"),
        gettext_lazy("已让所有设备退出。"),
        services.end_sessions,
        "caution",
    ),
    "suspend": Act(
        gettext_lazy("停用账号"),
        "ban",
        gettext_lazy("账号马上不能登录，任职保留。离任请用“办理交接”。"),
        gettext_lazy("账号已停用。"),
        services.suspend,
        "danger",
    ),
    "restore": Act(
        gettext_lazy("恢复账号"), "circle-check", gettext_lazy("账号恢复登录，仍在任期内的任职随之生效。"), gettext_lazy("账号已恢复。"), services.restore
    ),
}  # fmt: skip
"""By the last part of the address."""


def acts_for(person: User, *, locked: bool, factor: bool, oneself: bool) -> list[tuple[str, Act]]:
    """What makes sense for this account now; of one's own, only what the services allow."""
    wanted = [] if oneself else (["password", "suspend"] if person.is_active else ["restore"])
    wanted += ["unlock"] if locked else []
    wanted += ["factor"] if factor and not oneself else []
    wanted += ["sessions"]
    return [(key, act) for key, act in ACTS.items() if key in wanted]


@require_http_methods(["GET", "POST"])
@never_cache
@needs(MANAGE)
def account_act(request: DeskRequest, pk: int, move: str) -> HttpResponse:
    """Ask for the reason, then do it. A temporary password is shown on the answer itself and never again."""
    person, act = get_object_or_404(User, pk=pk), ACTS.get(move)
    if act is None:
        raise Http404
    form = ReasonForm(request.POST or None)
    back = reverse("access:person", args=[pk])

    def do(given: dict[str, Any]) -> tuple[Any]:
        return (act.do(**given, user=person, actor=request.actor, at=timezone.now()),)

    if result := saved(form, do):
        if move == "password":
            return render(request, "access/password.html", {"person": person, "password": result[0]})
        messages.success(request, str(act.done))
        return redirect(back)
    title = f"{act.title}{_('：')}{person}"
    return form_page(request, form, title=title, submit=act.title, intro=act.says, style=act.style, cancel_url=back)


class PhoneForm(forms.Form):
    """The number at which a person gets their codes."""

    number = forms.CharField(
        label=gettext_lazy("手机号"),
        required=False,
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text=gettext_lazy("11 位手机号，用来收登录验证码。系统只留末四位和校验值；留空表示删去。"),
    )


@require_http_methods(["GET", "POST"])
@needs(MANAGE)
def phone(request: DeskRequest, pk: int) -> HttpResponse:
    """Enter, change or remove the number at which a person gets their codes."""
    person = get_object_or_404(User, pk=pk)
    form = PhoneForm(request.POST if request.method == "POST" else None)
    back = reverse("access:person", args=[pk])
    if saved(form, lambda given: services.set_phone(**given, user=person, actor=request.actor, at=timezone.now())):
        messages.success(request, _("手机号已保存。") if form.cleaned_data["number"] else _("手机号已删去。"))
        return redirect(back)
    title = _("登记手机号：%(name)s") % {"name": person}
    return form_page(request, form, title=title, submit=_("保存"), cancel_url=back)


class HandoverForm(forms.Form):
    """Who takes over, until when the posts last, and why."""

    to = forms.ModelChoiceField(
        queryset=Membership.objects.none(),
        label=gettext_lazy("接手人"),
        required=False,
        help_text=gettext_lazy("同一机构里今天在任的同事。没有东西要移交时可以不选。"),
    )
    last_day = forms.DateField(
        label=gettext_lazy("最后有效日"),
        initial=timezone.localdate,
        help_text=gettext_lazy("从次日起，此人的任职全部结束；还没有开始的任职取消。"),
    )
    close = forms.BooleanField(label=gettext_lazy("马上停用账号"), required=False)
    reason = ReasonForm.base_fields["reason"]

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        posts = [each.pk for each in handover.colleagues_of(person, at=timezone.now())]
        choice: Any = self.fields["to"]
        choice.queryset = Membership.objects.filter(pk__in=posts).select_related("user", "organisation")
        choice.label_from_instance = lambda post: f"{post.user} · {post}"


@require_http_methods(["GET", "POST"])
@needs(MANAGE)
def hand_over(request: DeskRequest, pk: int) -> HttpResponse:
    """办理交接: what hangs on the person, who takes it, and the end of their posts."""
    person = get_object_or_404(User, pk=pk)
    form = HandoverForm(request.POST or None, person=person)
    back = reverse("access:person", args=[pk])
    done: Handover | None = saved(
        form, lambda given: handover.hand_over(**given, user=person, actor=request.actor, at=timezone.now())
    )
    if done:
        count = sum(done.moved.values())
        text = ngettext("交接已办好，移交了 %(count)s 项。", "交接已办好，移交了 %(count)s 项。", count) % {
            "count": count
        }
        messages.success(request, text)
        return redirect(back)
    return form_page(
        request,
        form,
        title=_("办理交接：%(name)s") % {"name": person},
        submit=_("移交并结束任职"),
        style="danger",
        cancel_url=back,
        template="access/handover.html",
        hanging=handover.hanging_on(person, at=timezone.now()),
        person=person,
    )
