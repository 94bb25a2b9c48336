"""States are one table (状态流转). A domain writes its table as data in `workflow.py`; this room moves rows through it."""
