from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, actor: Actor) -> Self:
        """A person's own; nobody else's."""
        return self.filter(user_id=actor.user_id) if actor.user_id else self.none()


class SavedView(models.Model):
    """常用视图: how somebody wants to see a list. `query` is the address's part after `?`: filters, order and columns.

    `path` is the list's address, `title` the list's name when it was saved. The default opens when the list is called without a query.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    path = models.CharField(max_length=200)
    title = models.CharField(_("列表"), max_length=80)
    name = models.CharField(_("名称"), max_length=30)
    query = models.CharField(max_length=1000, blank=True)
    is_default = models.BooleanField(_("打开列表时用它"), default=False)
    saved_at = models.DateTimeField(_("保存时间"))

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("常用视图")
        constraints = [
            models.UniqueConstraint(fields=["user", "path", "name"], name="saved_view_name_once"),
            models.UniqueConstraint(
                fields=["user", "path"], condition=Q(is_default=True), name="saved_view_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """The list, seen so. Without a query the address says `all`, so that no default steps in."""
        return f"{self.path}?{self.query or 'all=1'}"
