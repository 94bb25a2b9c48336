"""Joint-inspection planning: which checks share a visit, on which date, with a proof of how good the plan is.

`Problem` → `solve` → `Plan`; `verify` checks a plan and shares no code with the solver; `replan` changes as little as
possible; `explain` gives the least change that would place a check or join two.
"""

from xiezhi.engines.planning.explain import Explainer, Explanation, explain_check, explain_pair
from xiezhi.engines.planning.problem import (
    CapacityRow,
    CheckRow,
    Figures,
    InputError,
    InvalidInput,
    Params,
    Plan,
    Problem,
    SubjectRow,
    Unplaced,
    Visit,
)
from xiezhi.engines.planning.replan import Change, replan
from xiezhi.engines.planning.solve import solve
from xiezhi.engines.planning.verify import VerifyReport, verify

__all__ = [
    "CapacityRow",
    "Change",
    "CheckRow",
    "Explainer",
    "Explanation",
    "Figures",
    "InputError",
    "InvalidInput",
    "Params",
    "Plan",
    "Problem",
    "SubjectRow",
    "Unplaced",
    "VerifyReport",
    "Visit",
    "explain_check",
    "explain_pair",
    "replan",
    "solve",
    "verify",
]
