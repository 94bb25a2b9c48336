from typing import Any

import django_filters
import django_tables2
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.domains.registry import panels
from xiezhi.domains.registry.industries import SECTIONS, section_name
from xiezhi.domains.registry.models import PendingMatch, Premises, Scene, Subject
from xiezhi.domains.registry.queries import mentioning
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.ui.lists import Filters, SearchFilter
from xiezhi.foundation.ui.tables import MomentColumn, NumberColumn, StatusColumn, Table


class SubjectTable(Table):
    name = django_tables2.Column(linkify=("registry:subject", {"pk": django_tables2.A("pk")}))
    code = django_tables2.Column(attrs={"td": {"class": "text-nowrap"}})
    street = django_tables2.Column(verbose_name=gettext_lazy("街道"), accessor="premises", orderable=False)
    scenes = django_tables2.Column(orderable=False)
    status = StatusColumn(Subject.Status)
    joint_opt_out = django_tables2.BooleanColumn(verbose_name=gettext_lazy("不参加联合检查"), visible=False)
    phone = ("name", "street", "status")
    exported = (
        *("code", "name", "kind", "industry", "credit_class", "risk_class", "scenes", "status", "street"),
        "joint_opt_out",
    )

    class Meta(Table.Meta):
        model = Subject
        fields = ("name", "code", "kind", "industry", "street", "credit_class", "risk_class", "scenes", "status")
        order_by = "name"

    def render_street(self, value: Any) -> str:
        """Each street once, in order of the premises' numbers."""
        return _("、").join(dict.fromkeys(door.street.short_name for door in value.all())) or "—"

    def render_scenes(self, value: Any) -> str:
        """Names of the scenes."""
        return _("、").join(scene.name for scene in value.all()) or "—"

    def render_industry(self, value: str) -> str:
        """Code and section."""
        return f"{value} {section_name(value)}"

    def value_industry(self, value: str) -> str:
        """The code alone."""
        return value

    def value_joint_opt_out(self, value: bool) -> str:
        """是 or 否."""
        return _("是") if value else _("否")

    def render_credit_class(self, record: Subject) -> str:
        """The letter alone; the long word is on the subject's page."""
        return record.credit_class or "—"


def _streets(request: Any) -> QuerySet[Organisation]:
    return Organisation.objects.filter(kind=Organisation.Kind.STREET).order_by("code")


class SubjectFilters(Filters):
    q = django_filters.CharFilter(
        label=gettext_lazy("搜索"), help_text=gettext_lazy("名称、代码、街道或地址的一部分"), method="searched"
    )
    street = django_filters.ModelChoiceFilter(label=gettext_lazy("街道"), queryset=_streets, method="in_street")
    scene = django_filters.ModelChoiceFilter(
        label=gettext_lazy("场景"), queryset=lambda request: Scene.objects.order_by("code"), method="in_scene"
    )
    kind = django_filters.ChoiceFilter(choices=Subject.Kind.choices)
    section = django_filters.ChoiceFilter(
        label=gettext_lazy("行业门类"),
        choices=lambda: [(letter, f"{letter} {name}") for letter, (_first, _last, name) in SECTIONS.items()],
        field_name="industry",
        lookup_expr="startswith",
    )
    industry = django_filters.CharFilter(label=gettext_lazy("行业代码开头"), lookup_expr="istartswith")
    credit_class = django_filters.ChoiceFilter(choices=Subject.CreditClass.choices)
    risk_class = django_filters.ChoiceFilter(choices=Subject.RiskClass.choices)
    status = django_filters.ChoiceFilter(choices=Subject.Status.choices)
    joint_opt_out = django_filters.TypedChoiceFilter(
        label=gettext_lazy("联合检查"),
        choices=(("0", gettext_lazy("参加")), ("1", gettext_lazy("不参加"))),
        coerce=lambda value: value == "1",
        empty_value=None,
    )

    class Meta:
        model = Subject
        fields = (
            *("q", "street", "scene", "section", "industry", "kind", "credit_class", "risk_class", "status"),
            "joint_opt_out",
        )

    def searched(self, queryset: QuerySet[Subject], name: str, value: str) -> QuerySet[Subject]:
        """By part of name, code, street or address."""
        return mentioning(queryset, value)

    def in_street(self, queryset: QuerySet[Subject], name: str, value: Organisation) -> QuerySet[Subject]:
        """With a door there."""
        return queryset.filter(Exists(Premises.objects.filter(subject=OuterRef("pk"), street=value)))

    def in_scene(self, queryset: QuerySet[Subject], name: str, value: Scene) -> QuerySet[Subject]:
        """Carrying the scene."""
        links = Subject.scenes.through.objects.filter(subject=OuterRef("pk"), scene=value)
        return queryset.filter(Exists(links))


class SceneTable(Table):
    name = django_tables2.Column(linkify=("registry:scene", {"pk": django_tables2.A("pk")}))
    undisturbed = django_tables2.BooleanColumn(yesno=(gettext_lazy("是"), "—"))
    carried = NumberColumn(
        verbose_name=gettext_lazy("主体"),
        unit=gettext_lazy("家"),
        linkify=lambda record: f"{reverse('registry:subjects')}?scene={record.pk}",
    )
    phone = ("name", "code", "carried")

    class Meta(Table.Meta):
        model = Scene
        fields = ("name", "code", "undisturbed", "carried")
        order_by = "code"

    def render_undisturbed(self, value: bool) -> str:
        """是 or —."""
        return _("是") if value else "—"


class MatchTable(Table):
    name = django_tables2.Column(linkify=("registry:match", {"pk": django_tables2.A("pk")}))
    origin = django_tables2.Column(verbose_name=gettext_lazy("来自"))
    organisation = django_tables2.Column(verbose_name=gettext_lazy("报送机构"))
    row_number = django_tables2.Column(verbose_name=gettext_lazy("行号"))
    created_at = MomentColumn(verbose_name=gettext_lazy("收到时间"))
    status = StatusColumn(PendingMatch.Status)
    phone = ("name", "street_text", "status")

    class Meta(Table.Meta):
        model = PendingMatch
        fields = ("name", "street_text", "address", "origin", "organisation", "row_number", "created_at", "status")
        order_by = "created_at"

    def render_origin(self, record: PendingMatch) -> str:
        """The origin's word."""
        return panels.origin_label(record)

    value_origin = render_origin


class MatchFilters(Filters):
    q = SearchFilter("name", "address")
    status = django_filters.ChoiceFilter(choices=PendingMatch.Status.choices)
    origin = django_filters.ChoiceFilter(label=gettext_lazy("来自"), choices=panels.origins)

    class Meta:
        model = PendingMatch
        fields = ("q", "status", "origin")

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        """What waits is shown first; an empty status in the address shows all."""
        if data is not None and "status" not in data:
            data = data.copy()
            data["status"] = PendingMatch.Status.WAITING.value
        super().__init__(data, *args, **kwargs)
