from xiezhi.domains.inspections.models.catalogue import CatalogueItem, FormLine, IncompatiblePair, ItemVersion
from xiezhi.domains.inspections.models.checks import Check
from xiezhi.domains.inspections.models.numbers import NumberSeries
from xiezhi.domains.inspections.models.plans import Draw, Plan, PlanRow
from xiezhi.domains.inspections.models.rounds import Leftover, Replan, Round
from xiezhi.domains.inspections.models.visits import (
    Attendance,
    DeclineReason,
    Participation,
    Recusal,
    Result,
    ResultCode,
    ResultDraft,
    Visit,
)

__all__ = [
    "Attendance",
    "CatalogueItem",
    "Check",
    "DeclineReason",
    "Draw",
    "FormLine",
    "IncompatiblePair",
    "ItemVersion",
    "Leftover",
    "NumberSeries",
    "Participation",
    "Plan",
    "PlanRow",
    "Recusal",
    "Replan",
    "Result",
    "ResultCode",
    "ResultDraft",
    "Round",
    "Visit",
]
