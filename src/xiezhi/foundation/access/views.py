import django_filters
import django_tables2
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from xiezhi.foundation.access import services
from xiezhi.foundation.access.account_views import acts_for
from xiezhi.foundation.access.factors import has_factor, must_have_factor
from xiezhi.foundation.access.forms import AccountForm, AppointmentForm, EndForm
from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import SESSION_KEY, DeskRequest
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.access.services.handover import hanging_on
from xiezhi.foundation.access.waiting import ENDING_WITHIN
from xiezhi.foundation.accounts import lockout
from xiezhi.foundation.accounts.models import AccountAct, User
from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.ui.lists import Action, Empty, Filters, SearchFilter, list_page
from xiezhi.foundation.ui.tables import DayColumn, Table

MANAGE = AccessPermission.MANAGE_PEOPLE.value


@require_POST
@needs(SIGNED_IN)
def switch(request: DeskRequest) -> HttpResponse:
    """Act in another of one's own posts (切换任职) from now on in this session."""
    wanted = request.POST.get("membership", "")
    chosen = next((each for each in request.memberships if str(each.pk) == wanted), None)
    if chosen is None:
        raise Http404
    request.session[SESSION_KEY] = chosen.pk
    messages.success(request, _("现在以“%(post)s”办事。") % {"post": chosen})
    return redirect("desk:home")


class PeopleTable(Table):
    display_name = django_tables2.Column(linkify=("access:person", {"pk": django_tables2.A("pk")}))
    posts = django_tables2.Column(
        verbose_name=gettext_lazy("现任"), accessor="current", orderable=False, empty_values=(None, [])
    )
    joined_at = DayColumn()
    phone = ("display_name", "username", "posts")

    class Meta(Table.Meta):
        model = User
        fields = ("display_name", "username", "posts", "joined_at")
        order_by = "display_name"

    def render_posts(self, value: list[Membership]) -> str:
        """Present appointments, one after the other."""
        return _("；").join(map(str, value))

    value_posts = render_posts


class PeopleFilters(Filters):
    q = SearchFilter("display_name", "username")
    role = django_filters.ChoiceFilter(
        label=gettext_lazy("岗位"),
        choices=lambda: [(key, role.label) for key, role in roles().items()],
        method="holding",
    )
    ending = django_filters.ChoiceFilter(
        label=gettext_lazy("任期"), choices=[("on", gettext_lazy("14 天内到期"))], method="ending_soon"
    )
    is_active = django_filters.ChoiceFilter(
        label=gettext_lazy("账号"), choices=[("True", gettext_lazy("启用")), ("False", gettext_lazy("停用"))]
    )

    class Meta:
        model = User
        fields = ("q", "role", "ending", "is_active")

    def ending_soon(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """People one of whose present posts ends soon."""
        today = timezone.localdate()
        ending = Membership.objects.valid_on(today).filter(ends_on__lte=today + ENDING_WITHIN)
        return queryset.filter(pk__in=ending.values("user_id"))

    def holding(self, queryset: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        """People who hold the role today."""
        today = Membership.objects.valid_on(timezone.localdate())
        return queryset.filter(pk__in=today.filter(role=value).values("user_id"))


@require_GET
@needs(MANAGE)
def people(request: DeskRequest) -> HttpResponseBase:
    """Everybody who has an account, and the posts they hold today."""
    today = Membership.objects.valid_on(timezone.localdate()).select_related("organisation").order_by("pk")
    return list_page(
        request,
        title=_("人员与任职"),
        queryset=User.objects.prefetch_related(Prefetch("memberships", queryset=today, to_attr="current")),
        table=PeopleTable,
        filterset=PeopleFilters,
        unit=_("人"),
        actions=[Action(_("开立账号"), reverse("access:open_account"), icon="plus")],
        empty=Empty(_("还没有人员"), _("先开立账号，再任命岗位。")),
    )


@require_GET
@needs(MANAGE)
def person(request: DeskRequest, pk: int) -> HttpResponse:
    """One person's account with what may be done about it, and every appointment, past and present."""
    user = get_object_or_404(User, pk=pk)
    today = timezone.localdate()
    until, factor = lockout.locked_until(*lockout.keys_of(user)), has_factor(user)
    memberships = list(user.memberships.select_related("organisation").order_by("-starts_on", "-pk"))
    appointments = [
        {"membership": each, "state": _state(each, today), "can_end": each.ends_on is None or each.ends_on >= today}
        for each in memberships
    ]
    context = {
        "person": user,
        "appointments": appointments,
        "locked_until": until,
        "factor": factor,
        "needs_factor": must_have_factor(user),
        "sessions": UserSession.objects.filter(user=user).count(),
        "acts": acts_for(user, locked=until is not None, factor=factor, oneself=user.pk == request.actor.user_id),
        "hanging": [] if user.pk == request.actor.user_id else hanging_on(user, at=timezone.now()),
        "timeline": [_told(each) for each in user.acts.select_related("by").order_by("-pk")[:20]],
        "handovers": user.handovers.select_related("to").order_by("-pk"),
    }
    return render(request, "access/person.html", context)


def _told(act: AccountAct) -> dict[str, object]:
    who = str(act.by) if act.by else _("系统")
    return {"at": act.at, "title": act.get_kind_display(), "text": act.reason, "who": who, "icon": "lock"}


def _state(membership: Membership, today: object) -> tuple[str, str, str]:
    """Word, tone and icon."""
    if membership.ends_on and membership.ends_on < today:  # type: ignore[operator]
        return _("已结束"), "neutral", "circle-x"
    if membership.starts_on > today:  # type: ignore[operator]
        return _("未开始"), "caution", "clock"
    return _("在任"), "good", "circle-check"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@needs(MANAGE)
def open_account(request: DeskRequest) -> HttpResponse:
    """Give a person an account."""
    form = AccountForm(request.POST or None)
    user = saved(
        form, lambda data: services.open_account(**data, must_change=True, actor=request.actor, at=timezone.now())
    )
    if user:
        messages.success(
            request, _("账号已开立。请当面告知初始密码：7 天内有效，本人登录后要先改掉。下一步：任命岗位。")
        )
        return redirect("access:person", pk=user.pk)
    return form_page(request, form, title=_("开立账号"), submit=_("开立账号"), cancel_url=reverse("access:people"))


@require_http_methods(["GET", "POST"])
@needs(MANAGE)
def appoint(request: DeskRequest, pk: int) -> HttpResponse:
    """Appoint a person to a role in an organisation."""
    user = get_object_or_404(User, pk=pk)
    form = AppointmentForm(request.POST or None)
    if saved(form, lambda data: services.appoint(**data, user=user, actor=request.actor, at=timezone.now())):
        messages.success(request, _("任职已生效。"))
        return redirect("access:person", pk=pk)
    title = _("任命 %(name)s") % {"name": user}
    return form_page(request, form, title=title, submit=_("任命"), cancel_url=reverse("access:person", args=[pk]))


@require_http_methods(["GET", "POST"])
@needs(MANAGE)
def end(request: DeskRequest, pk: int) -> HttpResponse:
    """End an appointment."""
    membership = get_object_or_404(Membership.objects.select_related("organisation", "user"), pk=pk)
    form = EndForm(request.POST or None)
    back = reverse("access:person", args=[membership.user_id])
    if saved(
        form,
        lambda data: services.end_membership(**data, membership=membership, actor=request.actor, at=timezone.now()),
    ):
        messages.success(request, _("任职已结束。"))
        return redirect(back)
    intro = _("%(name)s：%(post)s") % {"name": membership.user, "post": membership}
    return form_page(
        request, form, title=_("结束任职"), submit=_("结束任职"), style="danger", intro=intro, cancel_url=back
    )
