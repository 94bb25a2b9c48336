import json
from typing import Any

import django_filters
import django_tables2
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.access.roles import roles
from xiezhi.foundation.audit.labels import actions_by_app, kind_label, label
from xiezhi.foundation.audit.models import Entry, Head
from xiezhi.foundation.audit.queries import details_in_words, matching_entries
from xiezhi.foundation.audit.services import entry_as_json
from xiezhi.foundation.ui.lists import Filters, SinceFilter, UntilFilter
from xiezhi.foundation.ui.tables import DayColumn, MomentColumn, NumberColumn, Table
from xiezhi.foundation.ui.templatetags.ui import tag


class EntryTable(Table):
    """The audit. Its export adds every field that the digest is made of, exactly, so that a sheet can be verified too."""

    at = MomentColumn(verbose_name=gettext_lazy("时间"), order_by=("pk",))
    action = django_tables2.Column(verbose_name=gettext_lazy("动作"))
    object = django_tables2.Column(verbose_name=gettext_lazy("对象"), accessor="object_kind", orderable=False)
    who = django_tables2.Column(verbose_name=gettext_lazy("谁"), accessor="who_name", orderable=False, empty_values=())
    details = django_tables2.Column(
        verbose_name=gettext_lazy("内容"), accessor="payload", orderable=False, empty_values=()
    )
    sealed = django_tables2.Column(
        verbose_name=gettext_lazy("封存号"), accessor="pk", orderable=False, attrs={"td": {"class": "text-nowrap"}}
    )
    digest = django_tables2.Column(verbose_name="digest", accessor="seal__digest", visible=False)
    algorithm = django_tables2.Column(verbose_name="algorithm", accessor="seal__algorithm", visible=False)
    raw = django_tables2.Column(verbose_name="entry", accessor="pk", visible=False)
    phone = ("action", "at", "who", "object")

    class Meta(Table.Meta):
        model = Entry
        fields = ("at", "action", "object", "who", "details", "sealed")

    def sheet(self) -> Any:
        """As every list's, with seal number, digest, algorithm and the entry's exact fields as JSON."""
        for name in ("digest", "algorithm", "raw"):
            self.columns.show(name)
        return super().sheet()

    def render_action(self, value: str) -> str:
        """The action's word."""
        return label(value)

    def render_object(self, record: Entry) -> SafeString:
        """What was acted on, with a link to its history."""
        url = reverse("audit:history", args=[record.object_kind, record.object_id])
        return format_html('<a href="{}">{} {}</a>', url, kind_label(record.object_kind), record.object_id)

    def value_object(self, record: Entry) -> str:
        """The same without link."""
        return f"{kind_label(record.object_kind)} {record.object_id}"

    def render_who(self, record: Any) -> str:
        """Who acted, in which post."""
        if not record.who_name:
            return _("系统")
        post = roles().get(record.who_role)
        where = f"{_('（')}{record.who_where} · {post.label}{_('）')}" if post else ""
        return f"{record.who_name}{where}"

    def render_details(self, value: dict[str, Any], record: Entry) -> SafeString | str:
        """Codes and numbers of the act."""
        words = details_in_words(value or {}, record.action)
        return format_html_join(_("；"), '<span class="text-secondary">{}</span> {}', words) if words else "—"

    def value_details(self, value: dict[str, Any]) -> str:
        """The payload as JSON."""
        return json.dumps(value or {}, ensure_ascii=False, sort_keys=True)

    def render_sealed(self, record: Entry) -> SafeString | int:
        """The number in the chain, or that there is none yet."""
        return record.seal.sequence if hasattr(record, "seal") else tag(_("待封存"), "caution", "clock")

    def value_sealed(self, record: Entry) -> int | str:
        """The number alone."""
        return record.seal.sequence if hasattr(record, "seal") else ""

    def value_raw(self, record: Entry) -> str:
        """Every field that the digest covers, exactly."""
        return json.dumps(entry_as_json(record), ensure_ascii=False, separators=(",", ":"))


def _kinds() -> list[tuple[str, str]]:
    kinds = Entry.objects.order_by().values_list("object_kind", flat=True).distinct()
    return sorted(((kind, kind_label(kind)) for kind in kinds), key=lambda each: each[1])


class EntryFilters(Filters):
    q = django_filters.CharFilter(
        label=gettext_lazy("搜索"), method="matching", help_text=gettext_lazy("动作、对象编号、内容、姓名")
    )
    action = django_filters.ChoiceFilter(label=gettext_lazy("动作"), choices=actions_by_app)
    object_kind = django_filters.ChoiceFilter(label=gettext_lazy("对象"), choices=_kinds)
    first = SinceFilter(label=gettext_lazy("从"), field_name="at")
    last = UntilFilter(label=gettext_lazy("到"), field_name="at")
    by = django_filters.ChoiceFilter(
        label=gettext_lazy("谁做的"),
        choices=(("people", gettext_lazy("人员")), ("system", gettext_lazy("系统"))),
        method="done_by",
    )
    unsealed = django_filters.BooleanFilter(label=gettext_lazy("待封存"), field_name="seal", lookup_expr="isnull")

    class Meta:
        model = Entry
        fields = ("q", "action", "object_kind", "first", "last", "by", "unsealed")

    def matching(self, queryset: QuerySet[Entry], name: str, value: str) -> QuerySet[Entry]:
        """Every word occurs somewhere."""
        return matching_entries(queryset, value)

    def done_by(self, queryset: QuerySet[Entry], name: str, value: str) -> QuerySet[Entry]:
        """People's acts, or those of ticker and worker."""
        return queryset.filter(actor_user_id__isnull=value == "system")


class HeadTable(Table):
    on = DayColumn(verbose_name=gettext_lazy("日期"))
    sequence = NumberColumn(verbose_name=gettext_lazy("封存号"))
    digest = django_tables2.Column(verbose_name=gettext_lazy("链头"), orderable=False)
    algorithm = django_tables2.Column(verbose_name=gettext_lazy("摘要算法"))
    key_id = django_tables2.Column(verbose_name=gettext_lazy("公钥编号"))
    signed_at = MomentColumn(verbose_name=gettext_lazy("签名时间"))
    signature = django_tables2.Column(verbose_name=gettext_lazy("签名"), visible=False)
    phone = ("on", "sequence", "digest")

    class Meta(Table.Meta):
        model = Head
        fields = ("on", "sequence", "digest", "algorithm", "key_id", "signed_at")

    def sheet(self) -> Any:
        """With the signature."""
        self.columns.show("signature")
        return super().sheet()

    def render_digest(self, value: str) -> SafeString:
        """Enough to compare by eye; all of it in the title and in exports."""
        return format_html('<code title="{}">{}…</code>', value, value[:16])

    def value_digest(self, value: str) -> str:
        """All of it."""
        return value
