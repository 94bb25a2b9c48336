from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.domains.complaints.words import (
    OPEN,
    CaseStatus,
    Channel,
    Demand,
    EndGround,
    Kind,
    Outcome,
    RefusalGround,
    Register,
    Tier,
    Urgency,
)
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation


class Category(models.Model):
    """问题类别: what the matter is about. Loaded from `data/categories.csv`, then the district's own. `public`: offered on public forms.

    `handoff`: what another system should take up when a case of this category is registered; `safety`: persons may be in danger.
    """

    code = models.CharField(_("代码"), max_length=20, unique=True)
    name = models.CharField(_("类别"), max_length=40)
    group = models.CharField(_("大类"), max_length=40)
    description = models.CharField(_("说明"), max_length=200, blank=True)
    keywords = models.CharField(_("关键词"), max_length=200, blank=True)
    tier = models.CharField(_("默认时限"), max_length=4, choices=Tier, default=Tier.WEEK)
    handoff = models.CharField(max_length=12, blank=True)
    safety = models.BooleanField(_("涉及安全"), default=False)
    public = models.BooleanField(_("对外提供"), default=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("问题类别")

    def __str__(self) -> str:
        return self.name


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, actor: Actor) -> Self:
        """District-wide posts see every case; a department's people their department's, a station's (所) their station's; both also
        those in which their unit helps. Malls see none: what concerns them is a `MallRequest`."""
        if not actor.can(ComplaintPermission.VIEW):
            return self.none()
        if actor.district_wide:
            return self
        helping = CoHandler.objects.filter(unit_id=actor.organisation_id).values("case_id")
        return self.filter(led_by(actor) | Q(pk__in=helping))

    def open(self) -> Self:
        """Cases in which the person still waits for an answer."""
        return self.filter(status__in=OPEN)

    def with_names(self) -> Self:
        """With what a line of a list names."""
        return self.select_related("unit", "subject").in_brief()

    def in_brief(self) -> Self:
        """Without the long texts: what names a case among others needs none of them."""
        return self.defer("description", "search")


def led_by(actor: Actor) -> Q:
    """Cases that the actor's own unit leads; at a department, those of its stations too."""
    if actor.organisation_id is None:
        return Q(pk__in=[])
    if actor.organisation_id == actor.department_id:
        return Q(unit_department_id=actor.department_id)
    return Q(unit_id=actor.organisation_id)


class Case(models.Model):
    """诉求. Who brought it is in `parties` only. `received_at`: when the statutory channel had it (ours, for a lead).

    `first_receiver` is written once, at the first dispatch; `unit` leads now. `next_due_at`: the earliest of its open clocks.
    `description` is the person's own text, at most 100,000 characters, never trusted as markup and masked in public views.
    """

    number = models.CharField(_("编号"), max_length=16, unique=True)
    kind = models.CharField(_("类型"), max_length=12, choices=Kind)
    channel = models.CharField(_("渠道"), max_length=12, choices=Channel)
    status = models.CharField(_("状态"), max_length=10, choices=CaseStatus, default=CaseStatus.LEAD)
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome, blank=True)
    title = models.CharField(_("标题"), max_length=120)
    description = models.TextField(_("诉求内容"), blank=True)
    demand = models.CharField(_("诉求目的"), max_length=12, choices=Demand, blank=True)
    demand_text = models.CharField(_("具体请求"), max_length=500, blank=True)
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("问题类别")
    )
    urgency = models.CharField(_("紧急程度"), max_length=10, choices=Urgency, default=Urgency.NORMAL)
    tier = models.CharField(_("办理时限"), max_length=4, choices=Tier, blank=True)
    safety = models.BooleanField(_("涉及安全"), default=False)
    hostile = models.BooleanField(_("情绪激烈"), default=False)

    received_at = models.DateTimeField(_("收到时间"))
    arrived_at = models.DateTimeField(_("到达本系统"))
    happened_on = models.DateField(_("发生日期"), null=True, blank=True)

    subject = models.ForeignKey(
        Subject, models.PROTECT, null=True, blank=True, related_name="complaints", verbose_name=_("被诉主体")
    )
    premises = models.ForeignKey(Premises, models.PROTECT, null=True, blank=True, related_name="+")
    respondent_name = models.CharField(_("被诉方名称"), max_length=120, blank=True)
    respondent_address = models.CharField(_("被诉方地址"), max_length=200, blank=True)
    mall = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("商场")
    )
    street = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("街道")
    )
    place = models.CharField(_("发生地点"), max_length=200, blank=True)
    longitude = models.DecimalField(_("经度"), max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField(_("纬度"), max_digits=8, decimal_places=6, null=True, blank=True)

    first_receiver = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("首接单位")
    )
    unit = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("承办单位")
    )
    unit_department = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("承办人")
    )

    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    duplicate_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="duplicates")
    split_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="parts")
    reopened_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reopenings")

    refusal_ground = models.CharField(_("不予受理情形"), max_length=4, choices=RefusalGround, blank=True)
    end_ground = models.CharField(_("终止调解情形"), max_length=4, choices=EndGround, blank=True)
    decision_reason = models.CharField(_("说明"), max_length=1000, blank=True)
    closing_reason = models.CharField(_("理由"), max_length=500, blank=True)

    registered_at = models.DateTimeField(_("登记时间"), null=True)
    dispatched_at = models.DateTimeField(_("派单时间"), null=True)
    signed_at = models.DateTimeField(_("签收时间"), null=True)
    accepted_at = models.DateTimeField(_("受理时间"), null=True)
    concluded_at = models.DateTimeField(_("办理完毕"), null=True)
    replied_at = models.DateTimeField(_("答复时间"), null=True)
    closed_at = models.DateTimeField(_("办结时间"), null=True)
    next_due_at = models.DateTimeField(_("最近期限"), null=True)
    search = models.TextField(blank=True, editable=False)
    """Word pairs of title, respondent, place and numbers, for searching; never anybody's personal data."""

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("诉求")
        constraints = [
            models.CheckConstraint(condition=~Q(pk=models.F("duplicate_of")), name="case_not_its_own_duplicate"),
            models.CheckConstraint(
                condition=~Q(status="merged") | Q(duplicate_of__isnull=False), name="case_merged_into_something"
            ),
            models.CheckConstraint(
                condition=Q(unit=None) | Q(first_receiver__isnull=False), name="case_first_receiver_known"
            ),
        ]
        indexes = [
            models.Index(fields=["-arrived_at", "id"], name="cases_newest"),
            models.Index(fields=["status", "next_due_at"], name="cases_by_due"),
            # As lists sort: the soonest due first, then the newest. PostgreSQL keeps empty ones last by itself.
            models.Index(fields=["next_due_at", "-id"], name="cases_listed"),
            models.Index(fields=["unit", "next_due_at", "-id"], name="cases_listed_of_unit"),
            models.Index(fields=["unit_department", "next_due_at", "-id"], name="cases_listed_of_dept"),
            models.Index(fields=["unit", "status", "next_due_at"], name="cases_of_unit"),
            models.Index(fields=["-received_at", "id"], name="cases_last_received"),
            models.Index(fields=["unit", "-received_at", "id"], name="cases_of_unit_received"),
            models.Index(fields=["unit_department", "status", "next_due_at"], name="cases_of_department"),
            models.Index(fields=["unit_department", "-received_at", "id"], name="cases_of_dept_received"),
            models.Index(fields=["subject", "-received_at"], name="cases_about_subject"),
            models.Index(fields=["mall", "-received_at"], name="cases_at_mall"),
            models.Index(fields=["street", "-received_at"], name="cases_in_street"),
            models.Index(fields=["category", "-received_at"], name="cases_of_category"),
            models.Index(fields=["respondent_name", "-received_at"], name="cases_by_respondent"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        """Whether the person still waits for an answer."""
        return self.status in OPEN

    @property
    def respondent(self) -> str:
        """Whom it is about: the registered name when known, else the name as given."""
        return self.subject.name if self.subject else self.respondent_name

    @property
    def is_confidential(self) -> bool:
        """A report: who made it and how it stands are not for the respondent nor for people not involved (art. 37)."""
        return self.kind == Kind.REPORT


class ExternalNumber(models.Model):
    """编号 under which another register knows the case: unique there. A case may carry one of each.

    `told`: what the last work-order file said under this number, without anybody's personal data; empty where no file did. The next file
    is compared with it, so that what was corrected here is not undone by the same file once more.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="numbers")
    register = models.CharField(_("登记系统"), max_length=8, choices=Register)
    number = models.CharField(_("编号"), max_length=40)
    recorded_at = models.DateTimeField()
    told = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("外部编号")
        constraints = [models.UniqueConstraint(fields=["register", "number"], name="external_number_once")]

    def __str__(self) -> str:
        return f"{self.get_register_display()} {self.number}"


class CoHandler(models.Model):
    """协办单位: helps; the first receiver's lead does not move (首接负责)."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="co_handlers")
    unit = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name=_("协办单位"))
    note = models.CharField(_("请协办的事项"), max_length=500)
    asked_at = models.DateTimeField(_("请求时间"))
    answer = models.CharField(_("协办意见"), max_length=2000, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("协办")
        constraints = [models.UniqueConstraint(fields=["case", "unit"], name="co_handler_once")]
        indexes = [models.Index(fields=["unit", "case"], name="co_handled_cases")]

    def __str__(self) -> str:
        return f"{self.case_id} · {self.unit}"


class TierChange(models.Model):
    """时限 as it was set, each time, by whom and why. Added to, never rewritten."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="tier_changes")
    tier = models.CharField(_("办理时限"), max_length=4, choices=Tier)
    reason = models.CharField(_("理由"), max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("时限变更")

    def __str__(self) -> str:
        return f"{self.case_id} {self.tier}"


class CaseEvent(models.Model):
    """经过: one line of a case's history, in words. `public`: may be told to the person who brought it."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    public = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("经过")
        indexes = [models.Index(fields=["case", "-at"], name="case_story")]

    def __str__(self) -> str:
        return self.title


class NumberSeries(models.Model):
    """The last case number given out in a year."""

    year = models.PositiveSmallIntegerField(unique=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"S{self.year}-{self.last:06d}"
