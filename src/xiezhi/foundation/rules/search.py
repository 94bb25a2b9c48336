"""What the desk's search finds here: rules as they stand today, by number, name, value or source."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xiezhi.foundation.access.actors import Actor
from xiezhi.foundation.rules.queries import reading_of, rule_book, search_text
from xiezhi.foundation.rules.registry import Confidence, all_rules
from xiezhi.foundation.ui.search import Found, Hit, register
from xiezhi.foundation.ui.statuses import look


def rules(actor: Actor, words: Sequence[str], limit: int) -> Found:
    """Titles are not in the database, so the few rules are read, in one query."""
    if not actor.role:
        return Found((), False, lambda: 0)
    today, book, wanted = timezone.localdate(), rule_book(), [word.casefold() for word in words]
    standing = [version for rule in all_rules() if (version := book.current(rule, on=today))]
    hits = []
    for version in standing:
        text = search_text(version)
        if all(word in text for word in wanted):
            found, known = reading_of(version), look(version.confidence, Confidence)
            hits.append(Hit(found.title, reverse("rules:detail", args=[version.key]), found.display, known))
    return Found(hits[:limit], len(hits) > limit, lambda: len(hits))


register("rules.rule", _("规则依据"), "book-2", find=rules, more="rules:list", order=110)
