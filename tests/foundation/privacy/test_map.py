"""No column that looks personal is forgotten."""

from __future__ import annotations

import re

from django.apps import apps
from django.db import models

from xiezhi.foundation.privacy.fields import EncryptedTextField
from xiezhi.foundation.privacy.holdings import all_holdings, known_columns

WORDS = re.compile(
    r"姓名|手机|电话|邮箱|邮件|地址|身份证|证件|证号|联系人|联络|持卡人|签名|签字|诉求人|当事人|生日|登录名|人名|称呼|账号"
)
NAMES = re.compile(
    r"phone|mobile|mail|address|identity|id_number|id_card|display_name|username|person|birth|contact|sign(er|ature)"
    r"|holder|passport|(^|_)ip$|nick|^sought$"
)
NEVER = (models.BooleanField, models.DateTimeField)


def looks_personal(name: str, word: str) -> bool:
    return bool(NAMES.search(name) or WORDS.search(word))


def test_every_column_that_looks_personal_is_on_the_map_or_said_not_to_be() -> None:
    known = known_columns()
    lost = [
        name
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if not field.is_relation
        and not isinstance(field, NEVER)
        and looks_personal(field.name, str(field.verbose_name))
        if (name := f"{model._meta.label_lower}.{field.name}") not in known
    ]
    assert not lost, f"declare these in their room's personal.py: {', '.join(lost)}"
    assert (
        looks_personal("contact_phone", "")
        and looks_personal("x", "联系人")
        and not looks_personal("amount_fen", "金额")
    )


def test_what_the_map_names_is_there_and_sealed_where_it_says_so() -> None:
    for name in known_columns():
        label, _, column = name.rpartition(".")
        apps.get_model(label)._meta.get_field(column)
    for holding in all_holdings():
        for column, datum in holding.fields.items():
            sealed = isinstance(holding.table._meta.get_field(column), EncryptedTextField)
            assert sealed == datum.sealed or holding.model == "notices.wish", f"{holding.model}.{column}"
            assert not (sealed and datum.find and not datum.digest), f"{holding.model}.{column} cannot be found"
        assert bool(holding.rule) == bool(holding.ended)
