"""R17: nothing anywhere ranks departments or officers, or sets them targets, by how often they check or what they fine.

tests/domains/inspections/test_figures.py looks at the figures themselves; this looks at everything else that could grow one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

from tests.architecture.matrix.sweep import routes

ROOT = Path(__file__).resolve().parents[2] / "src" / "xiezhi"
DOMAINS = ROOT / "domains"
NAMES = re.compile(r"(^|_)(rank(ing)?s?|league|leaderboard|targets?|quotas?|kpi|scoreboard|fines?|fined|fine_fen)(_|$)")
WORDS = re.compile(r"排名|排行|名次|罚没|罚款|下达.{0,4}指标|检查.{0,4}指标")
SAYS_SO = {
    "domains/inspections/templates/inspections/figures/dashboard.html": "本页不按部门统计、排名，也不设检查数量和罚没数额的指标。",
}
"""The one sentence in which a page may use the words: the promise itself."""
WHOSE = re.compile(r"department|officer|lead|organisation|inspector")
GROUPS = {"values", "values_list"}
COUNTS = {"Count", "Sum", "Avg", "RowNumber", "Rank", "DenseRank"}


def ranking_queries(tree: ast.AST) -> Iterator[ast.Call]:
    """Queries that group by department or officer, count, and put the groups in an order that is not their own code or name."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "order_by"):
            continue
        chain, inner = [], node.func.value
        while isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            chain.append(inner)
            inner = inner.func.value
        grouped = any(
            call.func.attr in GROUPS and any(WHOSE.search(word) for word in texts(call.args))
            for call in chain  # type: ignore[attr-defined]
        )
        counted = {name.id for call in chain for name in ast.walk(call) if isinstance(name, ast.Name)} & COUNTS
        if grouped and counted and not all(WHOSE.match(word) for word in texts(node.args)):
            yield node


def texts(nodes: list[ast.expr]) -> list[str]:
    """The string constants in them."""
    return [
        part.value
        for node in nodes
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def test_no_address_leads_to_a_ranking() -> None:
    names = [name for name, _pattern, _view in routes()]
    assert names and [name for name in names if NAMES.search(name.partition(":")[2] or name)] == []


def test_no_table_keeps_a_rank_a_target_or_a_fine() -> None:
    ours = [model for model in apps.get_models() if model.__module__.startswith("xiezhi.")]
    columns = [(model, field) for model in ours for field in model._meta.get_fields() if not field.many_to_one]
    fields = [f"{model._meta.label}.{field.name}" for model, field in columns]  # a target is no row of another table
    assert len(fields) > 100 and [name for name in fields if NAMES.search(name.rpartition(".")[2])] == []


def test_no_page_speaks_of_one_but_to_promise_that_there_is_none() -> None:
    found = []
    for path in sorted(ROOT.rglob("*.html")):
        place = path.relative_to(ROOT).as_posix()
        text = path.read_text("utf-8")
        if promise := SAYS_SO.get(place):
            assert promise in text, f"{place} no longer says that it ranks nobody"
            text = text.replace(promise, "")
        found += [f"{place}: {match.group()}" for match in WORDS.finditer(text)]
    assert found == []


def test_no_query_ranks_departments_or_officers() -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{call.lineno}"
        for path in sorted(DOMAINS.rglob("*.py"))
        if "migrations" not in path.parts
        for call in ranking_queries(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("Check.objects.values('department__code').annotate(n=Count('pk')).order_by('-n')", True),
        ("Visit.objects.filter(on=day).values_list('lead').annotate(n=Count('pk')).order_by('n', 'lead')", True),
        ("Check.objects.values('department__code').annotate(n=Count('pk')).order_by('department__code')", False),
        ("Check.objects.values('status').annotate(n=Count('pk')).order_by('-n')", False),
        ("Check.objects.order_by('-latest')", False),
    ],
)
def test_a_ranking_query_is_told_from_others(text: str, ranks: bool) -> None:
    assert any(ranking_queries(ast.parse(text))) is ranks
