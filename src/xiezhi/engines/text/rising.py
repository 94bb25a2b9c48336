"""Topics that rise against their own past: an exact test of this week's count against the four weeks before it.

If a topic's rate had not changed, each of its cases of the whole period would fall into the recent days with the chance ``recent days ÷
all days``; the number that did is binomial (the exact test for the ratio of two Poisson rates: Przyborowski and Wilenski 1940). Among
many topics some rise by luck: the false ones are held to a share (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Topic = tuple[str, ...]
RECENT_DAYS, BASELINE_DAYS = 7, 28


@dataclass(frozen=True)
class Rising:
    """A topic (category × place or merchant) with more cases than its own past explains.

    `expected` is what the baseline gives for the recent days; `ratio` recent over expected, None if the baseline is empty (新出现);
    `p` the chance of so many or more at an unchanged rate; `q` the least share of false alarms at which it is still reported.
    """

    topic: Topic
    recent: int
    baseline: int
    expected: float
    ratio: float | None
    p: float
    q: float


def rising(
    daily: Mapping[Topic, Sequence[int]],
    *,
    recent_days: int = RECENT_DAYS,
    baseline_days: int = BASELINE_DAYS,
    least: int = 5,
    ratio: float = 2.0,
    false_share: float = 0.05,
) -> list[Rising]:
    """Topics with at least `least` recent cases, at least `ratio` times the expected, among a `false_share` of false alarms at most.

    `daily` holds each topic's counts per day, oldest first, the last `recent_days` of them recent; days beyond both periods are ignored.
    Every topic given counts as tested. Strongest first: by p, then ratio, then topic. Raises ValueError for too few days, a negative
    count, or parameters out of range.
    """
    if recent_days < 1 or baseline_days < 1 or least < 1 or ratio < 1 or not 0 < false_share < 1:
        raise ValueError("days and least are at least 1, ratio too; false_share lies between 0 and 1")
    tested = [_test(topic, days, recent_days, baseline_days) for topic, days in daily.items()]
    tested.sort(key=lambda each: (each[3], each[0]))
    found, q = [], 1.0
    for place in range(len(tested), 0, -1):
        topic, recent, baseline, p = tested[place - 1]
        q = min(q, p * len(tested) / place)
        expected = baseline * recent_days / baseline_days
        if q <= false_share and recent >= least and recent >= ratio * expected:
            over = recent / expected if baseline else None
            found.append(Rising(topic, recent, baseline, expected, over, p, q))
    return sorted(found, key=lambda each: (each.p, -(each.ratio or math.inf), each.topic))


def chance_of(
    recent: int, baseline: int, *, recent_days: int = RECENT_DAYS, baseline_days: int = BASELINE_DAYS
) -> float:
    """The chance that of ``recent + baseline`` cases at least `recent` fall into the recent days, all days being alike."""
    total, share = recent + baseline, recent_days / (recent_days + baseline_days)
    if not recent:
        return 1.0
    fixed = math.lgamma(total + 1)
    logs = [
        fixed - math.lgamma(k + 1) - math.lgamma(total - k + 1) + k * math.log(share) + (total - k) * math.log1p(-share)
        for k in range(recent, total + 1)
    ]
    highest = max(logs)
    return min(1.0, math.exp(highest) * math.fsum(math.exp(each - highest) for each in logs))


def _test(topic: Topic, days: Sequence[int], recent_days: int, baseline_days: int) -> tuple[Topic, int, int, float]:
    if len(days) < recent_days + baseline_days or min(days) < 0:
        raise ValueError(
            f"{'/'.join(topic)}: give {recent_days + baseline_days} daily counts, none negative; got {len(days)}"
        )
    recent, baseline = sum(days[-recent_days:]), sum(days[-recent_days - baseline_days : -recent_days])
    return topic, recent, baseline, chance_of(recent, baseline, recent_days=recent_days, baseline_days=baseline_days)
