"""Every write of the register. Other rooms import from here."""

from xiezhi.domains.registry.services.matches import (
    NamedRow,
    confirm_match,
    dismiss_match,
    queue_name,
    queue_names,
    reopen_match,
)
from xiezhi.domains.registry.services.premises import register_premises, update_premises
from xiezhi.domains.registry.services.scenes import add_scene, change_scene, label_subjects, remove_scene
from xiezhi.domains.registry.services.subjects import (
    change_status,
    close_subject,
    register_subject,
    set_joint_choice,
    update_subject,
)
from xiezhi.domains.registry.services.tenancies import end_tenancy, register_tenancy
from xiezhi.domains.registry.services.timeline import add_to_timeline

__all__ = [
    "NamedRow",
    "add_scene",
    "add_to_timeline",
    "change_scene",
    "change_status",
    "close_subject",
    "confirm_match",
    "dismiss_match",
    "end_tenancy",
    "label_subjects",
    "queue_name",
    "queue_names",
    "register_premises",
    "register_subject",
    "register_tenancy",
    "remove_scene",
    "reopen_match",
    "set_joint_choice",
    "update_premises",
    "update_subject",
]
