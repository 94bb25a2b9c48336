"""Complaints (接诉即办): what people bring to the bureau, from any channel, and the clocks that the law and the hotline set on it.

Owns: cases (诉求) and everything that happens to them. Words: a *lead* (线索) came in by no statutory channel and has no 12345 or 12315
number yet; a *case* is handled under its number; the *first receiver* (首接单位) leads to the end, whoever helps. Invariants: ours is
the workbench that mirrors the 12315 platform, never the register (总局令第121号 art. 40); history is added to and never rewritten;
nobody decides on their own application; who a reporter (举报人) is stays with those who handle the report (art. 37).
"""
