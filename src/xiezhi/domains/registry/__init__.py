"""Regulated subjects (经营主体): who is regulated, where their premises are, and one timeline each.

Words: a *subject* is one legal person or household business with one 统一社会信用代码; *premises* (场所) is a door one can enter, and what
inspections are planned for; a *scene* (场景) is a label by which subjects are selected (酒店, 商圈, 无事不扰 …); a *pending match* (待匹配)
is a row that named a subject without its code and waits for a person to say who was meant.
Invariants: a code is valid (GB 32100) and unique; a subject has at least one premises; the timeline is only ever added to.
Events out: `registry.subject_closed`, `registry.joint_choice_changed`, `registry.name_matched`.
"""
