from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """Something that happened. `name` is namespaced (`registry.subject_closed`); `payload` holds ids and codes only."""

    name = models.CharField(max_length=80)
    at = models.DateTimeField()
    payload = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("事件")

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one subscriber."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    subscriber = models.CharField(max_length=120)
    delivered_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "subscriber"], name="delivered_once")]
        indexes = [models.Index(fields=["delivered_at", "next_attempt_at"], name="events_due")]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.subscriber}"
