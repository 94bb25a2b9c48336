from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from xiezhi.foundation.access.actors import Actor
    from xiezhi.foundation.ui.attention import Attention


class RegistryConfig(AppConfig):
    name = "xiezhi.domains.registry"
    label = "registry"
    verbose_name = _("经营主体")

    def ready(self) -> None:
        from xiezhi.domains.registry import panels
        from xiezhi.domains.registry.imports import SubjectImport
        from xiezhi.domains.registry.services.matches import SUBJECT_ROW
        from xiezhi.foundation.imports.specs import register
        from xiezhi.foundation.ui import attention

        register(SubjectImport)
        panels.register_origin(SUBJECT_ROW, _("经营主体名录"))
        attention.register("registry", _waiting_names)
        _dress()
        _navigate()


def _navigate() -> None:
    from xiezhi.domains.registry.permissions import RegistryPermission as May
    from xiezhi.foundation.ui import navigation

    navigation.register(
        navigation.Item(_("经营主体"), "registry:subjects", "building-store", May.VIEW, "records", 10),
        navigation.Item(_("待匹配名称"), "registry:matches", "link", May.MATCH, "work", 60, _count_waiting),
        navigation.Item(_("场景"), "registry:scenes", "list-check", May.MANAGE, "settings", 30),
    )


def _dress() -> None:
    from xiezhi.domains.registry.models import PendingMatch, Subject
    from xiezhi.domains.registry.workflow import MATCH, SUBJECT
    from xiezhi.foundation.audit import labels, links
    from xiezhi.foundation.ui.statuses import dress

    subject, match = Subject.Status, PendingMatch.Status
    dress(
        subject,
        {
            subject.ACTIVE: ("circle-check", "good"),
            subject.SUSPENDED: ("clock", "caution"),
            subject.DEREGISTERED: ("circle-x", "neutral"),
            subject.REVOKED: ("ban", "urgent"),
            subject.MOVED_OUT: ("arrow-right", "neutral"),
        },
    )
    dress(
        match,
        {
            match.WAITING: ("clock", "caution"),
            match.MATCHED: ("circle-check", "good"),
            match.DISMISSED: ("circle-x", "neutral"),
        },
    )
    links.register({"registry.subject": "registry:subject", "registry.premises": "registry:premises"})
    labels.register_workflow(SUBJECT)
    labels.register_workflow(MATCH)
    labels.register(
        {
            "registry.subject_registered": _("录入主体"),
            "registry.subject_updated": _("修改主体"),
            "registry.joint_choice_changed": _("登记联合检查意愿"),
            "registry.premises_registered": _("新增场所"),
            "registry.premises_updated": _("修改场所"),
            "registry.scene_added": _("新增场景"),
            "registry.scene_changed": _("修改场景"),
            "registry.scene_removed": _("删除场景"),
            "registry.scene_labelled": _("加入或移出场景"),
        }
    )


def _count_waiting(actor: "Actor") -> int:
    from xiezhi.domains.registry.models import PendingMatch

    return PendingMatch.objects.visible_to(actor).filter(status=PendingMatch.Status.WAITING).count()


def _waiting_names(actor: "Actor", at: datetime) -> "Iterable[Attention]":
    from django.urls import reverse
    from django.utils.translation import gettext

    from xiezhi.domains.registry.permissions import RegistryPermission as May
    from xiezhi.foundation.ui.attention import Attention

    count = _count_waiting(actor) if actor.can(May.MATCH) else 0
    if count:
        text = gettext("有名称等您确认是哪一家")
        yield Attention(text, reverse("registry:matches"), "caution", count, gettext("个"), icon="link")
