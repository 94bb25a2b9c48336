"""Imports (数据导入): the one way in which sheets become records, whatever the domain.

A domain writes an `ImportSpec` (columns, checks, how to save). Here are the steps that all share: file, columns, check, preview, apply.
Invariants: nothing is saved before the person has seen the counts; all rows of a batch are saved in one transaction or none;
every bad row is named with row, column, value, reason and how to mend; importing the same file again changes nothing.
"""
