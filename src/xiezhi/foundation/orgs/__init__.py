"""Organisations (机构), their officers (执法人员) and the time they can give (力量).

Owns: the district, its departments (部门), streets (街道) and stations (所); officers with enforcement certificates (执法证);
teams per department and street with weekly patterns and absences, from which the open team-minutes of a day follow.
Invariant: a pool (力量池) is a department, or a department within one street; a check draws on the street's pool where one exists.
"""
