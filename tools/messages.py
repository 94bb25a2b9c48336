"""Message catalogues: `tools/messages.py update | compile | check`.

The msgid is the Chinese text itself, so Chinese needs no catalogue; each other language has one under
src/xiezhi/locale. Babel does the work (no GNU gettext on the machine); for templates Django's own `templatize`
turns tags into gettext calls, which Babel then reads as Python.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "xiezhi"
LOCALE = SOURCE / "locale"

KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def extract_template(file: io.BufferedReader, keywords: Any, tags: Any, options: Any) -> Iterable[Any]:
    """Babel's extraction method for Django templates."""
    python = templatize(file.read().decode("utf-8"), origin=file.name)
    # What remains of the layout would be read as Python's indentation.
    flat = "\n".join(line.lstrip() for line in python.split("\n"))
    return extract_python(io.BytesIO(flat.encode("utf-8")), keywords, tags, {"encoding": "utf-8"})


METHODS: list[tuple[str, Any]] = [
    ("**/migrations/**.py", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", extract_template),
    ("**/templates/**.txt", extract_template),
]


def wanted() -> Catalog:
    """The messages that source and templates contain now."""
    found = Catalog(project="Xiezhi", charset="utf-8", fuzzy=False)
    messages = extract_from_dir(
        SOURCE, METHODS, keywords=KEYWORDS, comment_tags=["Translators"], strip_comment_tags=True
    )
    for file, _line, message, comments, context in sorted(messages, key=lambda entry: (entry[0], entry[1])):
        # Without line numbers an edit far from any message leaves the catalogue as it is.
        found.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return found


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def update() -> None:
    """Add new messages (untranslated) to each catalogue and drop those that are gone."""
    template = wanted()
    for path in catalogues():
        catalogue = read(path)
        template.creation_date = catalogue.creation_date
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        text = io.BytesIO()
        write_po(text, catalogue, width=110, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
        if text.getvalue() != path.read_bytes():
            path.write_bytes(text.getvalue())
        missing = sum(not translated(message) for message in catalogue if message.id)
        print(f"{name(path)}: {len(catalogue)} messages, {missing} to translate")


def compile_all() -> None:
    """Write each catalogue's compiled form beside it."""
    for path in catalogues():
        draft = path.with_suffix(".mo.new")
        with draft.open("wb") as file:
            write_mo(file, read(path))
        draft.replace(path.with_suffix(".mo"))


def translated(message: Any) -> bool:
    texts = message.string if isinstance(message.string, list | tuple) else [message.string]
    return bool(texts) and all(texts) and not message.fuzzy


def problems() -> list[str]:
    """One line for each message that a catalogue lacks, leaves untranslated, keeps needlessly or gets wrong."""
    template = wanted()
    keys = {(message.context, message.id) for message in template if message.id}
    found = []
    for path in catalogues():
        catalogue = read(path)
        known = {(message.context, message.id): message for message in catalogue if message.id}
        for context, text in sorted(keys - known.keys(), key=repr):
            place = template.get(text if isinstance(text, str) else text[0], context)
            where = place.locations[0][0] if place and place.locations else "?"
            found.append(f"{name(path)}: missing {text!r} (from {where})")
        found += [f"{name(path)}: no longer used {key[1]!r}" for key in sorted(known.keys() - keys, key=repr)]
        for key, message in known.items():
            if key in keys and not translated(message):
                found.append(f"{name(path)}: not translated {message.id!r}")
            found += [f"{name(path)}: {message.id!r}: {error}" for error in message.check(catalogue)]
    if not catalogues():
        found.append(f"{name(LOCALE)}: no catalogue at all")
    return found


def main(arguments: list[str]) -> int:
    if arguments == ["update"]:
        update()
    elif arguments == ["compile"]:
        compile_all()
    elif arguments == ["check"]:
        for problem in (lines := problems()):
            print(problem)
        return 1 if lines else 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
