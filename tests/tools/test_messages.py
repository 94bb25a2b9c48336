"""Messages are found in source and templates as Django will look them up, and gaps in a catalogue are named."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import messages

TEMPLATE = """{% load i18n %}
<div>
    <p>{% trans "通过" context "按钮" %} 全角“引号” {{ x|default:_("无") }}</p>
  {% blocktranslate trimmed count n=rows|length %}
     共 {{ n }} 行，
     完成 100%
  {% plural %}
     共 {{ n }} 行
  {% endblocktranslate %}
 {% include "x.html" with title=_('标题"引号"') %}
      {% if a == _("甲") %}x{% endif %}
</div>"""


def test_templates_are_read_whatever_their_layout() -> None:
    file = io.BytesIO(TEMPLATE.encode())
    file.name = "a.html"
    found = [(name, text) for _, name, text, _ in messages.extract_template(file, messages.KEYWORDS, [], {})]
    assert found == [
        ("pgettext", ("按钮", "通过")),
        ("_", "无"),
        ("ngettext", ("共 %(n)s 行， 完成 100%%", "共 %(n)s 行", None)),
        ("_", '标题"引号"'),
        ("_", "甲"),
    ]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small source tree with an English catalogue that knows one message of two."""
    (tmp_path / "rooms" / "templates").mkdir(parents=True)
    (tmp_path / "rooms" / "views.py").write_text(
        'from django.utils.translation import gettext_lazy as _, pgettext_lazy\n_("受理")\npgettext_lazy("动作", "关闭")\n'
    )
    (tmp_path / "rooms" / "templates" / "a.html").write_text('{% load i18n %}{% translate "再选一个时间" %}')
    folder = tmp_path / "locale" / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(
        'msgid ""\nmsgstr ""\n"Language: en\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "受理"\nmsgstr "Accept"\n\nmsgid "旧"\nmsgstr "Old"\n'
    )
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    monkeypatch.setattr(messages, "SOURCE", tmp_path)
    monkeypatch.setattr(messages, "LOCALE", tmp_path / "locale")
    return folder


def test_a_catalogue_grows_with_the_source_and_its_gaps_are_named(house: Path) -> None:
    assert [line.split(": ", 1)[1].split(" (")[0] for line in messages.problems()] == [
        "missing '关闭'",
        "missing '再选一个时间'",
        "no longer used '旧'",
    ]
    messages.update()
    text = (house / "django.po").read_text()
    assert 'msgid "受理"\nmsgstr "Accept"' in text and 'msgctxt "动作"' in text and "旧" not in text
    assert all("not translated" in line for line in messages.problems())
    translated = text.replace('msgid "关闭"\nmsgstr ""', 'msgid "关闭"\nmsgstr "Close"')
    (house / "django.po").write_text(translated.replace('时间"\nmsgstr ""', '时间"\nmsgstr "Choose another time"'))
    assert messages.problems() == []
    messages.compile_all()
    assert (house / "django.mo").stat().st_size > 0
    before = (house / "django.po").read_bytes()
    messages.update()
    assert (house / "django.po").read_bytes() == before


def test_a_placeholder_lost_in_translation_is_named(house: Path) -> None:
    (house.parents[2] / "rooms" / "views.py").write_text('_("共 %(n)s 行")\n')
    (house.parents[2] / "rooms" / "templates" / "a.html").write_text("")
    messages.update()
    path = house / "django.po"
    path.write_text(path.read_text().replace('行"\nmsgstr ""', '行"\nmsgstr "%(count)s rows"'))
    assert len(messages.problems()) == 1
