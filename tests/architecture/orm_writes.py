"""Finds where source code writes to the database, from its shape alone: nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

ALWAYS = {
    *("create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"),
    *("acreate", "abulk_create", "abulk_update", "aget_or_create", "aupdate_or_create"),
    *("asave", "adelete", "aupdate", "save_m2m", "raw_delete"),
}
RELATED = {"add", "remove", "set", "clear"}
MANAGERS = {"objects", "_default_manager", "_base_manager"}
QUERIES = {
    *("all", "filter", "exclude", "select_for_update", "order_by", "using", "annotate", "select_related", "distinct"),
    *("visible_to", "none", "reverse", "union", "prefetch_related", "get_queryset", "only", "defer"),
}
SQL = {"execute", "executemany", "copy"}
READING = ("SELECT", "WITH", "SHOW", "BEGIN", "ROLLBACK", "ANALYZE")


def writes(tree: ast.AST, relations: Collection[str]) -> Iterator[ast.Call]:
    """The calls in `tree` that write rows. `relations`: names of fields whose `add`, `set`, `remove` and `clear` write.

    A dict's `update`, a set's `add`, a workbook's `save(path)` and a cache's `delete(key)` are told apart by what they are called on and with.
    """
    assigned = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node, relations, assigned):
            yield node


def _writes(call: ast.Call, relations: Collection[str], assigned: dict[str, ast.expr]) -> bool:
    assert isinstance(call.func, ast.Attribute)
    name, receiver = call.func.attr, call.func.value
    if name in ALWAYS:
        return True
    if name in {"save", "delete"}:
        return not call.args
    if name == "update":
        return not call.args and (_is_query(receiver, assigned) or not _is_plain(receiver, assigned))
    if name in RELATED:
        return isinstance(receiver, ast.Attribute) and receiver.attr in relations
    return name in SQL and "cursor" in ast.unparse(receiver) and not _reads(call, assigned)


def _reads(call: ast.Call, assigned: dict[str, ast.expr]) -> bool:
    """Whether the statement is written out here or beside, and only reads or frames what reads."""
    sql: ast.expr | None = call.args[0] if call.args else None
    if isinstance(sql, ast.Name):
        sql = assigned.get(sql.id)
    if isinstance(sql, ast.JoinedStr):
        sql = sql.values[0]
    if not isinstance(sql, ast.Constant):
        return False
    text = str(sql.value).strip().upper()
    return text.startswith(READING) or (text.startswith("PRAGMA") and "=" not in text)


def _is_query(value: ast.expr, assigned: dict[str, ast.expr], depth: int = 4) -> bool:
    """Whether `value` is a manager, or what a manager gave."""
    if isinstance(value, ast.Name) and value.id in assigned and depth:
        return _is_query(assigned[value.id], assigned, depth - 1)
    if isinstance(value, ast.Attribute):
        return value.attr in MANAGERS
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        return value.func.attr in QUERIES or _is_query(value.func.value, assigned, depth)
    return False


def _is_plain(value: ast.expr, assigned: dict[str, ast.expr]) -> bool:
    """Whether `value` is surely a mapping of Python's: written as one, made by a constructor's name, or an element of one."""
    if isinstance(value, ast.Name):
        value = assigned.get(value.id, value)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in {"dict", "defaultdict", "Counter", "set"}
    return isinstance(value, ast.Dict | ast.DictComp | ast.Set | ast.SetComp | ast.Subscript)
