"""What notices are about, for people who choose which of them go where: the room that sent them, told by the start of their key."""

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OTHER = "other"
ROOMS = "xiezhi.domains."


def topics() -> dict[str, str | Promise]:
    """Every topic with its name, in the order of the rooms; `other` last."""
    found = {each.label: each.verbose_name for each in apps.get_app_configs() if each.name.startswith(ROOMS)}
    return {**found, OTHER: _("其他")}


def topic_of(key: str) -> str:
    """The topic of a notice with this key: `inspections.confirmed:7` is about `inspections`."""
    start = key.partition(".")[0]
    return start if apps.is_installed(ROOMS + start) else OTHER
