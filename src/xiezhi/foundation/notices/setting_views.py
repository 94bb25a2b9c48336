"""A person's own choices: which channels, which notices, when not."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest
from xiezhi.foundation.accounts.models import User
from xiezhi.foundation.notices import services
from xiezhi.foundation.notices.channels import way_to_person, ways
from xiezhi.foundation.notices.forms import LEVELS, QuietForm, WishForm, left_out
from xiezhi.foundation.notices.models import ChannelKind, Delivery, QuietHours, Wish
from xiezhi.foundation.notices.sealing import unseal
from xiezhi.foundation.notices.topics import topics
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.words import masked


def kind_or_404(kind: str) -> ChannelKind:
    """The channel that the address names."""
    if kind not in ChannelKind.values:
        raise Http404
    return ChannelKind(kind)


def _me(request: DeskRequest) -> int:
    """Whose choices these are; a page behind `needs` has somebody."""
    return request.actor.user_id or 0


@require_GET
@needs(SIGNED_IN)
def settings_page(request: DeskRequest) -> HttpResponse:
    """接收设置: every channel that could reach this person, what they chose, and when they want silence."""
    mine = {wish.channel: wish for wish in Wish.objects.filter(user_id=_me(request))}
    names = topics()
    rows: list[dict[str, Any]] = []
    for kind, way in ways().items():
        wish = mine.get(kind.value)
        if way.personal:
            rows.append(
                {
                    "kind": kind,
                    "wish": wish,
                    "place": _shown(wish) or _("读不出来，请重新填写"),
                    "level": dict(LEVELS)[wish.least_level] if wish else "",
                    "left_out": [names[topic] for topic in wish.left_out if topic in names] if wish else [],
                    "last": _last(_me(request), kind) if wish else None,
                }
            )
    quiet = QuietForm.initial_of(QuietHours.objects.filter(user_id=_me(request)).first())
    quiet["passing"] = [names[topic] for topic in quiet["passing"] if topic in names]
    return render(request, "notices/settings.html", {"rows": rows, "quiet": quiet})


def _shown(wish: Wish | None) -> str:
    """One's place with its middle hidden; empty when there is none, or it cannot be read any more."""
    place = unseal(wish.sealed_address) if wish else ""
    return masked(place) if place else ""


def _last(user_id: int, kind: ChannelKind) -> Delivery | None:
    ended = Delivery.objects.filter(recipient_id=user_id, channel=kind, status__in=["sent", "failed"])
    return ended.order_by("-created_at", "-pk").first()


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def wish(request: DeskRequest, kind: str) -> HttpResponse:
    """Choose how one channel is to be used."""
    channel = kind_or_404(kind)
    way_to_person(channel)
    mine = Wish.objects.filter(user_id=_me(request), channel=channel).first()
    form = WishForm(
        request.POST or None, kind=channel, shown=_shown(mine),
        initial=_initial(request, channel, mine),
    )  # fmt: skip

    def act(chosen: dict[str, Any]) -> Wish:
        return services.set_wish(
            channel=channel,
            to=chosen["to"],
            mode=chosen["mode"],
            least_level=chosen["least_level"],
            left_out=left_out(chosen["wanted"]),
            actor=request.actor,
            at=timezone.now(),
        )

    if saved(form, act):
        messages.success(request, _("已保存。可以试发一条，看收不收得到。"))
        return redirect("notices:settings")
    return form_page(
        request,
        form,
        title=_("%(channel)s接收设置") % {"channel": channel.label},
        submit=_("保存"),
        cancel_url=reverse("notices:settings"),
        intro=_("站内消息照常都有；这里只决定另外往%(channel)s送哪些。送出去的只有标题，没有详细内容。")
        % {"channel": channel.label},
    )


def _initial(request: DeskRequest, channel: ChannelKind, mine: Wish | None) -> dict[str, Any]:
    if mine:
        wanted = [topic for topic in topics() if topic not in mine.left_out]
        return {"mode": mine.mode, "least_level": mine.least_level, "wanted": wanted}
    person = User.objects.get(pk=_me(request))
    own_mail = person.email if channel is ChannelKind.MAIL else ""
    return {"to": own_mail, "mode": Wish.Mode.AT_ONCE, "least_level": LEVELS[1][0], "wanted": list(topics())}


@require_POST
@needs(SIGNED_IN)
def wish_test(request: DeskRequest, kind: str) -> HttpResponse:
    """Send oneself a test message."""
    channel = kind_or_404(kind)
    services.send_test(kind=channel, actor=request.actor, at=timezone.now())
    messages.success(request, _("试发消息已送出，请到%(channel)s查看。") % {"channel": channel.label})
    return redirect("notices:settings")


@require_POST
@needs(SIGNED_IN)
def wish_remove(request: DeskRequest, kind: str) -> HttpResponse:
    """Back to the inbox only."""
    channel = kind_or_404(kind)
    services.remove_wish(channel=channel, actor=request.actor, at=timezone.now())
    messages.success(request, _("不再往%(channel)s送消息，地址已经删去。") % {"channel": channel.label})
    return redirect("notices:settings")


@require_http_methods(["GET", "POST"])
@needs(SIGNED_IN)
def quiet(request: DeskRequest) -> HttpResponse:
    """免打扰: when channels are to be silent."""
    chosen = QuietHours.objects.filter(user_id=_me(request)).first()
    form = QuietForm(request.POST or None, initial=QuietForm.initial_of(chosen))
    at = timezone.now()
    if saved(form, lambda values: services.set_quiet_hours(**values, actor=request.actor, at=at)):
        messages.success(request, _("免打扰时间已保存。"))
        return redirect("notices:settings")
    return form_page(
        request, form, title=_("免打扰"), submit=_("保存"), cancel_url=reverse("notices:settings"),
        intro=_("这段时间里不往手机、邮箱和工作群送消息，过后合成一条送到。"),
    )  # fmt: skip
