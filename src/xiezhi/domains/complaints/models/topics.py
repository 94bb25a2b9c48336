from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.domains.complaints.models.cases import Case, CaseQuerySet, Category
from xiezhi.domains.complaints.permissions import ComplaintPermission
from xiezhi.domains.complaints.words import HandoffKind, TopicStatus
from xiezhi.domains.registry.models import Premises, Subject
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.orgs.models import Organisation


class TopicQuerySet(models.QuerySet["Topic"]):
    def visible_to(self, actor: Actor) -> Self:
        """District-wide posts that look at them: a topic counts the cases of every unit."""
        return self if actor.district_wide and actor.can(ComplaintPermission.VIEW_TOPICS) else self.none()


class Topic(models.Model):
    """未诉先办事项: a category at a street, in a mall or about a merchant that rises against its own four weeks before.

    `counts`: cases a day, oldest first, the last of them on `last_on`. One stands for a key until it has faded; what people decided on
    it holds as long as it keeps on rising.
    """

    Status = TopicStatus

    key = models.CharField(max_length=80)
    category = models.ForeignKey(Category, models.PROTECT, related_name="+", verbose_name=_("问题类别"))
    street = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("街道"))
    mall = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+", verbose_name=_("商场"))
    subject = models.ForeignKey(Subject, models.PROTECT, null=True, related_name="+", verbose_name=_("被诉主体"))
    first_on = models.DateField(_("开始上升"))
    last_on = models.DateField(_("计算到"))
    recent = models.PositiveIntegerField(_("近七天"))
    expected = models.FloatField(_("按前四周应有"))
    ratio = models.FloatField(_("倍数"), null=True)
    chance = models.FloatField()
    counts = models.JSONField(default=list)
    status = models.CharField(_("状态"), max_length=9, choices=Status, default=Status.RISING)
    reason = models.CharField(_("理由"), max_length=500, blank=True)
    decided_at = models.DateTimeField(_("处置时间"), null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = TopicQuerySet.as_manager()

    class Meta:
        verbose_name = _("未诉先办事项")
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=~Q(status="faded"), name="one_topic_stands"),
        ]
        indexes = [models.Index(fields=["status", "-last_on"], name="topics_listed")]

    def __str__(self) -> str:
        return f"{self.category} · {self.where}"

    @property
    def where(self) -> str:
        """The street, mall or merchant that it is about."""
        return str(self.subject or self.mall or self.street or "")

    def cases(self) -> CaseQuerySet:
        """Every case that counts towards it by what it is about; callers narrow by day and by who looks."""
        found = Case.objects.filter(category_id=self.category_id)
        for name in ("subject_id", "mall_id", "street_id"):
            if value := getattr(self, name):
                return found.filter(**{name: value})
        return found.none()


class TopicHandoff(models.Model):
    """转办 of a topic: a check at one door, or a risk signal. Waits until the other system says what it made of it."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="handoffs")
    kind = models.CharField(_("事项"), max_length=12, choices=HandoffKind)
    premises = models.ForeignKey(Premises, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    object_kind = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("未诉先办转办")
        constraints = [
            models.UniqueConstraint(fields=["topic", "kind", "premises"], name="topic_handoff_once"),
            models.UniqueConstraint(
                fields=["topic", "kind"], condition=Q(premises=None), name="topic_handoff_without_door_once"
            ),
        ]
        indexes = [models.Index(fields=["taken_at", "made_at"], name="topic_handoffs_waiting")]

    def __str__(self) -> str:
        return f"{self.topic_id} {self.kind}"
