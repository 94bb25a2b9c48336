"""Joint inspections (综合查一次): departments' plans in, joint visits out; each department confirms; one visit, many checks.

Words: an *item* (检查事项) is what may be checked at all; a *plan* (检查计划) is a department's list of rows, named or sampling; a *check*
(检查任务) is one item due at one premises in a window; a *round* (统筹轮次) plans the waiting checks of a horizon; a *visit* (联合检查) is one
premises, one date, one or more checks, suggested by a round and kept only when its departments confirm; a *participation* (参加) is
one department's part in a visit.
Invariants: no check outside the published catalogue (清单之外无检查, R01); a check belongs to at most one visit that is still alive;
silence is never taken as yes; a confirmed visit stays where it is; one visit is one record, results stay with department and item (R09);
nothing here counts checks or fines as a target or a ranking (R17).
"""
