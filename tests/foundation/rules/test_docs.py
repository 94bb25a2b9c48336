from xiezhi.domains.inspections import rules as inspections
from xiezhi.foundation.rules.docs import rules_markdown
from xiezhi.foundation.rules.registry import all_rules


def test_the_list_names_every_rule_once_with_value_and_standing():
    text = rules_markdown()
    lines = text.splitlines()
    for rule in all_rules():
        assert sum(f"`{rule.key}`" in line for line in lines) == len(rule.versions)
    row = next(line for line in lines if f"`{inspections.MAX_DEPARTMENTS.key}`" in line)
    assert "| 3 个部门 | 2025-01-01 | 马鞍山市 |" in row and "工作默认值" in row
    assert len({line.count(" | ") for line in lines if line.startswith("| ")}) == 1
    assert text.endswith("\n") and text == rules_markdown()
