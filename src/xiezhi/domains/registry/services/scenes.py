import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from xiezhi.domains.registry import facts
from xiezhi.domains.registry.facts import BadFact
from xiezhi.domains.registry.models import Scene, Subject, TimelineEntry
from xiezhi.domains.registry.permissions import RegistryPermission
from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.audit.services import record, record_many
from xiezhi.foundation.workflow.errors import Refused


@transaction.atomic
def add_scene(*, code: str, name: str, undisturbed: bool = False, actor: Actor, at: datetime) -> Scene:
    """Make a scene. Raises BadFact for a code or name that is malformed or taken."""
    actor.require(RegistryPermission.MANAGE)
    code, name = _clean(code, name, None)
    scene = Scene.objects.create(code=code, name=name, undisturbed=undisturbed)
    record("registry.scene_added", scene, actor=actor, at=at, code=code, undisturbed=undisturbed)
    return scene


@transaction.atomic
def change_scene(*, scene: Scene, code: str, name: str, undisturbed: bool, actor: Actor, at: datetime) -> Scene:
    """Rename a scene, or say whether it is a do-not-disturb list (R11). Raises BadFact."""
    actor.require(RegistryPermission.MANAGE)
    locked = Scene.objects.select_for_update().get(pk=scene.pk)
    code, name = _clean(code, name, locked)
    before = (locked.code, locked.name, locked.undisturbed)
    if before == (code, name, undisturbed):
        return locked
    locked.code, locked.name, locked.undisturbed = code, name, undisturbed
    locked.save(update_fields=["code", "name", "undisturbed"])
    record("registry.scene_changed", locked, actor=actor, at=at, code=code, undisturbed=undisturbed)
    return locked


@transaction.atomic
def remove_scene(*, scene: Scene, actor: Actor, at: datetime) -> None:
    """Remove a scene that nobody carries and no plan selects by. Raises Refused otherwise."""
    actor.require(RegistryPermission.MANAGE)
    locked = Scene.objects.select_for_update().get(pk=scene.pk)
    carried = locked.subjects.count()
    if carried:
        raise Refused(_("还有 %(n)s 家主体属于“%(scene)s”，请先移出。") % {"n": carried, "scene": locked})
    record("registry.scene_removed", locked, actor=actor, at=at, code=locked.code)
    try:
        with transaction.atomic():
            locked.delete()
    except ProtectedError:
        raise Refused(_("有检查计划按“%(scene)s”抽取，不能删除。") % {"scene": locked}) from None


@transaction.atomic
def label_subjects(*, scene: Scene, subjects: Iterable[Subject], carried: bool, actor: Actor, at: datetime) -> int:
    """Put subjects into a scene (`carried`), or take them out. Returns how many changed; those already so are left alone."""
    actor.require(RegistryPermission.MANAGE)
    keys = sorted({subject.pk for subject in subjects})
    locked = list(Subject.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    have = set(scene.subjects.filter(pk__in=keys).values_list("pk", flat=True))
    changed = [subject for subject in locked if (subject.pk in have) != carried]
    if not changed:
        return 0
    if carried:
        scene.subjects.add(*changed)
    else:
        scene.subjects.remove(*changed)
    Subject.objects.filter(pk__in=[subject.pk for subject in changed]).update(updated_at=at)
    record_many("registry.scene_labelled", changed, actor=actor, at=at, scene=scene.code, carried=carried)
    title = _("加入场景“%(scene)s”") if carried else _("移出场景“%(scene)s”")
    TimelineEntry.objects.bulk_create(
        TimelineEntry(subject=subject, at=at, kind="registry.updated", title=title % {"scene": scene})
        for subject in changed
    )
    return len(changed)


def _clean(code: str, name: str, but: Scene | None) -> tuple[str, str]:
    code, name = facts.folded(code).lower(), facts.clean_name(name, most=30)
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", code):
        raise BadFact("code", _("代码不合要求。"), _("请用小写字母开头，只含小写字母、数字和连字符，如 hotel。"))
    others = Scene.objects.exclude(pk=but.pk) if but else Scene.objects.all()
    if others.filter(code=code).exists():
        raise BadFact("code", _("代码“%(code)s”已有场景使用。") % {"code": code}, _("请换一个。"))
    if others.filter(name=name).exists():
        raise BadFact("name", _("已有名为“%(name)s”的场景。") % {"name": name}, _("请换一个。"))
    return code, name
