from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.access.permissions import AccessPermission
from xiezhi.foundation.access.roles import Role, roles
from xiezhi.foundation.orgs.models import Organisation


class MembershipQuerySet(models.QuerySet["Membership"]):
    def valid_on(self, day: date) -> Self:
        """Those in force on `day` (both ends inclusive) of people whose account is active."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day, user__is_active=True)

    def with_elevation(self, at: datetime) -> Self:
        """Each with `elevated_role` and `elevated_until`: what was granted for a while (临时授权) and has not lapsed at `at`; else None."""
        running = Elevation.objects.running(at).filter(membership=OuterRef("pk")).order_by("pk")
        return self.annotate(
            elevated_role=Subquery(running.values("role")[:1]), elevated_until=Subquery(running.values("until")[:1])
        )


class Membership(models.Model):
    """任职: a person holds a role in an organisation for a period."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships", verbose_name=_("人员")
    )
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships", verbose_name=_("机构"))
    role = models.CharField(_("岗位"), max_length=40)
    starts_on = models.DateField(_("开始日期"))
    ends_on = models.DateField(_("结束日期"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("任职")
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role", "starts_on"], name="membership_once"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="membership_dates_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.role_class.label}"

    @property
    def role_class(self) -> type[Role]:
        """The readable class behind `role`."""
        return roles()[self.role]


class ElevationQuerySet(models.QuerySet["Elevation"]):
    def visible_to(self, actor: Actor) -> Self:
        """A person's own; whoever approves them sees all."""
        if actor.can(AccessPermission.APPROVE_ELEVATION):
            return self
        return self.filter(membership__user_id=actor.user_id) if actor.user_id else self.none()

    def running(self, at: datetime) -> Self:
        """Granted, begun and not lapsed at `at`."""
        return self.filter(status=Elevation.Status.GRANTED, until__gt=at)


class Elevation(models.Model):
    """临时授权: beside their post a person holds another role's permissions, for some minutes and a reason. It ends by itself."""

    class Status(models.TextChoices):
        REQUESTED = "requested", _("待批准")
        GRANTED = "granted", _("生效中")
        REFUSED = "refused", _("未批准")
        WITHDRAWN = "withdrawn", _("已撤回")
        ENDED = "ended", _("提前结束")
        LAPSED = "lapsed", _("到时结束")

    membership = models.ForeignKey(Membership, models.PROTECT, related_name="elevations", verbose_name=_("任职"))
    role = models.CharField(_("临时岗位"), max_length=40)
    minutes = models.PositiveSmallIntegerField(_("分钟"))
    reason = models.CharField(_("理由"), max_length=500)
    status = models.CharField(_("状态"), max_length=10, choices=Status, default=Status.REQUESTED)
    asked_at = models.DateTimeField(_("申请时间"))
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("批准人")
    )
    until = models.DateTimeField(_("到"), null=True)
    over_at = models.DateTimeField(null=True)
    answer = models.CharField(_("答复"), max_length=500, blank=True)

    objects = ElevationQuerySet.as_manager()

    class Meta:
        verbose_name = _("临时授权")
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(status__in=["requested", "granted"]), name="one_elevation_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="granted") | Q(until__isnull=False), name="granted_elevation_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership} → {self.role_class.label}"

    @property
    def role_class(self) -> type[Role]:
        """The readable class behind `role`."""
        return roles()[self.role]


class Handover(models.Model):
    """交接: when somebody leaves, what hung on them goes to a colleague and their posts end. Kept as it was done."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="handovers", verbose_name=_("离任人")
    )
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("接手人")
    )
    last_day = models.DateField(_("最后有效日"))
    reason = models.CharField(_("理由"), max_length=500)
    closed = models.BooleanField(_("停用账号"))
    moved = models.JSONField(_("移交"), default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("交接")

    def __str__(self) -> str:
        return f"{self.user} {self.last_day}"
