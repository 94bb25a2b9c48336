"""The map of personal data for docs/reference/personal-data.md, from what the rooms declare."""

from django.utils import translation

from xiezhi.foundation.privacy.holdings import KEEP, Holding, all_holdings, exceptions


def personal_data_markdown() -> str:
    """Every holding with its columns, in Chinese; ends with a line feed."""
    with translation.override("zh-hans"):
        parts = ["# 个人信息清单", "保存年限取自 [规则依据](rules.md)，可在页面上修改；这里是随代码发布的数。"]
        parts += [_section(each) for each in all_holdings()]
        parts += ["## 看起来像、其实不是个人信息的", "\n".join(f"- `{name}`：{why}" for name, why in exceptions())]
        return "\n\n".join(parts) + "\n"


def _section(each: Holding) -> str:
    rule = each.rule
    term = (
        f"{rule.title} {rule.display(rule.versions[-1].value)}（{rule.versions[-1].confidence.label}，`{rule.key}`）"
        if rule
        else ""
    )
    facts = (
        ("为了什么", each.purpose),
        ("依据", each.basis),
        ("谁能看", each.opens),
        ("保存多久", " ".join(str(part) for part in (term, each.keeps) if part)),
    )
    columns = [
        f"| `{name}` | {datum.what} | {'加密' if datum.sealed else '—'} | {'保留' if datum.erased is KEEP else '删除'} |"
        for name, datum in each.fields.items()
    ]
    return "\n\n".join(
        [
            f"## {each.whose}：{each.title}（`{each.model}`）",
            "\n".join(f"- {name}：{text}" for name, text in facts),
            "\n".join(["| 列 | 内容 | 存放 | 删除申请 |", "| --- | --- | --- | --- |", *columns]),
        ]
    )
