"""Known names (merchants, malls, places) in a text: whole, without their legal form or branch, or in part."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from xiezhi.engines.text.normal import narrow

Key = TypeVar("Key", bound=Hashable)

LEAST = 3  # characters of a name's core that count as a mention; of two there are too many by chance
LONGEST = 20_000
_COMMON = 1500  # pairs of characters that more names than this hold (有限, 公司) find nothing
_BRANCH = re.compile(r"\(([^()]{1,30})\)\s*$")
_FORM = re.compile(r"(?:股份有限公司|有限责任公司|有限公司|分公司|合伙企业|个体工商户|经营部|服务部|商行|公司)$")
_SHOP = re.compile(r"(?:旗舰店|专卖店|总店|分店|门店|店)$")


@dataclass(frozen=True)
class NameHit(Generic[Key]):
    """A name at ``text[start:end]``; `exact` when its branch was named too, or it has none."""

    key: Key
    name: str
    start: int
    end: int
    exact: bool


@dataclass(frozen=True)
class NameMatch(Generic[Key]):
    """A name that the text holds in part: the share of its characters' pairs (rare ones count more), and the longest piece."""

    key: Key
    name: str
    score: float
    fragment: str


@dataclass(frozen=True)
class _Name(Generic[Key]):
    key: Key
    name: str
    core: str
    branch: str


class NameIndex(Generic[Key]):
    """An index over names; build it once, ask often. Immutable after building, safe to share between threads."""

    def __init__(self, names: Iterable[tuple[Key, str]]) -> None:
        """From (key, name) pairs; names of which nothing is left once their legal form is taken away are ignored."""
        self._names: list[_Name[Key]] = []
        self._forms: dict[str, set[int]] = defaultdict(set)
        self._lengths: dict[str, list[int]] = {}
        self._pairs: dict[str, list[int]] = defaultdict(list)
        lengths: dict[str, set[int]] = defaultdict(set)
        for key, name in names:
            parted = _parted(key, name)
            if len(parted.core) < 2:
                continue
            at = len(self._names)
            self._names.append(parted)
            for form in {parted.core, _letters(narrow(name))}:
                if len(form) >= LEAST:
                    self._forms[form].add(at)
                    lengths[form[:2]].add(len(form))
            for pair in _pairs(parted.core):
                self._pairs[pair].append(at)
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    def __len__(self) -> int:
        return len(self._names)

    def find(self, text: str) -> tuple[NameHit[Key], ...]:
        """Names the text holds whole, in order; the longest at a place wins, none overlap.

        A core that several names share (one brand, many branches) gives those whose branch the text names, or else all of them.
        """
        plain, places = _plain(text)
        hits: list[NameHit[Key]] = []
        at = 0
        while at < len(plain) - 1:
            form = next(
                (
                    plain[at : at + n]
                    for n in self._lengths.get(plain[at : at + 2], ())
                    if plain[at : at + n] in self._forms
                ),
                None,
            )
            if form is None:
                at += 1
                continue
            start, end = places[at], places[at + len(form) - 1] + 1
            several = [self._names[each] for each in sorted(self._forms[form])]
            named = [each for each in several if each.branch and each.branch in plain]
            for each in named or several:
                exact = not each.branch or each in named or form != each.core
                hits.append(NameHit(each.key, each.name, start, end, exact))
            at += len(form)
        return tuple(hits)

    def best(self, text: str, *, limit: int = 5, least: float = 0.5) -> tuple[NameMatch[Key], ...]:
        """Names the text holds at least in part, the surest first; equals in the order they were given."""
        plain, _ = _plain(text)
        found: dict[int, float] = defaultdict(float)
        for pair in sorted(_pairs(plain)):
            holders = self._pairs.get(pair, ())
            if len(holders) <= _COMMON:
                for at in holders:
                    found[at] += self._weight(pair)
        likely = sorted(found, key=lambda at: (-found[at], at))[: 20 * limit]
        matches = []
        for at in likely:
            name = self._names[at]
            score = found[at] / sum(self._weight(pair) for pair in _pairs(name.core))
            if name.branch and name.branch in plain:
                score += 0.01
            if score >= least:
                matches.append(
                    (
                        min(1.0, score),
                        at,
                        NameMatch(name.key, name.name, round(min(1.0, score), 4), _piece(name.core, plain)),
                    )
                )
        return tuple(
            match
            for _, _, match in sorted(matches, key=lambda each: (-each[0], each[1]))[:limit]
            if len(match.fragment) >= 2
        )

    def _weight(self, pair: str) -> float:
        return math.log(1 + len(self._names) / len(self._pairs[pair])) if pair in self._pairs else 0.0


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _plain(text: str) -> tuple[str, list[int]]:
    narrowed = narrow(text[:LONGEST])
    places = [at for at, each in enumerate(narrowed) if each.isalnum()]
    return "".join(narrowed[at] for at in places), places


def _parted(key: Key, name: str) -> _Name[Key]:
    """`北京金榆健身有限公司（万达店）` → core 北京金榆健身, branch 万达."""
    whole = narrow(name).strip()
    branch = ""
    if (hit := _BRANCH.search(whole)) is not None:
        branch = _SHOP.sub("", _letters(hit.group(1)))
        whole = whole[: hit.start()]
    core = _letters(whole)
    for shorter in (_FORM.sub("", core), _SHOP.sub("", core)):
        if len(shorter) >= LEAST and len(shorter) < len(core):
            core = shorter
            break
    return _Name(key, name, core, branch)


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


def _piece(name: str, plain: str) -> str:
    """The longest piece of the name that the text holds; the first of equals."""
    pieces = (name[at : at + n] for n in range(len(name), 1, -1) for at in range(len(name) - n + 1))
    return next((each for each in pieces if each in plain), "")
