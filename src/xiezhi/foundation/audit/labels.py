"""Words for the actions in the audit. Workflows bring their own; other actions register theirs in `ready()`."""

from collections.abc import Mapping

from django.utils.functional import Promise

from xiezhi.foundation.workflow.tables import Workflow

_labels: dict[str, str | Promise] = {}


def register(labels: Mapping[str, str | Promise]) -> None:
    """Say what actions are called: `register({"access.appointed": _("任命")})`."""
    _labels.update(labels)


def register_workflow(workflow: Workflow) -> None:
    """Take the words of every move from its table."""
    register({f"{workflow.key}.{move.name}": move.label for move in workflow.transitions})


def label(action: str) -> str:
    """The word for `action`; the action's own code when nobody registered one."""
    return str(_labels.get(action, action))
