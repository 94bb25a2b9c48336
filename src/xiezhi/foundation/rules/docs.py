"""The rule list for docs/reference/rules.md, from what the code declares: the same on every machine."""

from typing import Any

from django.utils import translation

from xiezhi.foundation.rules.registry import Rule, Version, all_rules

HEADER = ("编号", "规则", "取值", "自", "依据", "适用地域", "核实情况", "说明")


def rules_markdown() -> str:
    """Every declared rule and version as Markdown, one table per app, in Chinese; ends with a line feed."""
    with translation.override("zh-hans"):
        parts = [
            "# 规则依据",
            "由 `foundation.rules.docs.rules_markdown()` 生成，请勿手改。"
            "标为“工作默认值”的没有对照原文核实，不得当作法律规定引用。",
        ]
        app = None
        for rule in all_rules():
            if rule.app_label != app:
                app = rule.app_label
                parts.append(f"## {rule.app_name}（`{app}`）")
                parts.append("\n".join((_row(HEADER), _row(["---"] * len(HEADER)), *_app_rows(app))))
        return "\n\n".join(parts) + "\n"


def _app_rows(app: str) -> list[str]:
    return [_row(_cells(rule, version)) for rule in all_rules() if rule.app_label == app for version in rule.versions]


def _cells(rule: Rule[Any], version: Version[Any]) -> list[str]:
    source = version.source
    return [
        rule.code or "—",
        f"{rule.title}<br>`{rule.key}`",
        rule.display(version.value),
        version.effective_from.isoformat(),
        " ".join(part for part in (source.body, source.instrument, source.article) if part) or "—",
        source.jurisdiction or "—",
        str(version.confidence.label),
        version.note or "—",
    ]


def _row(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
