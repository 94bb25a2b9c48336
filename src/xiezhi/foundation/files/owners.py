"""What files belong to. A room whose objects carry files registers the model; who sees the object sees its files, and nobody else does."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Q

from xiezhi.foundation.access.actors import Actor

_owners: dict[str, type[models.Model]] = {}


def register(*owners: type[models.Model]) -> None:
    """Let objects of these models carry files. Each has a manager with `visible_to(actor)`."""
    _owners.update({kind_of(owner): owner for owner in owners})


def kind_of(owner: type[models.Model] | models.Model) -> str:
    """The first half of a typed reference (kind, id). Django's own label of the model, as in the audit."""
    return owner._meta.label_lower


def check_known(owner: models.Model) -> str:
    """The kind of `owner`. Raises LookupError when nobody registered it: its files would be seen by nobody."""
    kind = kind_of(owner)
    if kind not in _owners:
        raise LookupError(f"files.owners: {kind} is not registered")
    return kind


def seen_by(actor: Actor) -> Q:
    """Files of the objects that `actor` sees."""
    found = Q(pk__in=())
    for kind, owner in _owners.items():
        manager: Any = owner._default_manager
        found |= Q(owner_kind=kind, owner_id__in=manager.visible_to(actor).values("pk"))
    return found


def kinds() -> Iterable[str]:
    """The kinds registered so far."""
    return _owners.keys()
