from typing import Any

import pytest
from django import forms

from xiezhi.foundation.ui.forms import form_page, saved
from xiezhi.foundation.workflow.errors import AlreadyDone, Refused, Stale


class Name(forms.Form):
    name = forms.CharField(label="名称")


def refuse(error: Exception) -> Any:
    def act(data: dict[str, Any]) -> None:
        raise error

    return act


def test_a_valid_form_goes_through_the_service() -> None:
    assert saved(Name({"name": "甲"}), lambda data: data["name"]) == "甲"


@pytest.mark.parametrize("form", [Name(), Name({})])
def test_nothing_is_called_before_the_form_is_right(form: forms.Form) -> None:
    assert saved(form, refuse(AssertionError("called"))) is None


@pytest.mark.parametrize("error", [Refused("名称已用。"), Stale("刚被改过。")])
def test_a_refusal_is_shown_on_the_form(error: Refused) -> None:
    form = Name({"name": "甲"})
    assert saved(form, refuse(error)) is None
    assert form.non_field_errors() == [str(error)]


def test_a_double_click_is_not_an_error() -> None:
    with pytest.raises(AlreadyDone):
        saved(Name({"name": "甲"}), refuse(AlreadyDone("已经办好。")))


@pytest.mark.django_db
def test_the_page_says_what_the_button_does_and_answers_422_to_errors(request_for: Any) -> None:
    fresh = form_page(request_for(), Name(), title="登记", submit="登记主体", cancel_url="/desk/", draft="new")
    text = fresh.content.decode()
    assert fresh.status_code == 200
    assert ">登记主体</button>" in text
    assert "data-submits-once" in text
    assert "data-warn-leaving" in text
    assert 'data-draft="1:new"' in text
    assert form_page(request_for(), Name({}), title="登记", submit="登记").status_code == 422


@pytest.mark.django_db
def test_a_form_with_a_file_is_sent_as_one(request_for: Any) -> None:
    class Upload(forms.Form):
        file = forms.FileField()

    text = form_page(request_for(), Upload(), title="导入", submit="导入").content.decode()
    assert 'enctype="multipart/form-data"' in text
