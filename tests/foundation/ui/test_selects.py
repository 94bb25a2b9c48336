"""Selects are drawn by us: the same as Django's own templates."""

from django import forms
from django.forms.renderers import DjangoTemplates

from xiezhi.foundation.ui.forms import Renderer

CHOICES = [("", "—"), ("a&b", 'A "b"'), ("组", [("1", "<一>"), (2, "二")])]


class Form(forms.Form):
    one = forms.ChoiceField(choices=CHOICES, required=False)
    many = forms.MultipleChoiceField(choices=CHOICES)
    odd = forms.ChoiceField(choices=CHOICES, widget=forms.Select(attrs={"x": 3, "y": True, "z": False, "data-u": "<"}))


def test_a_select_is_drawn_as_django_draws_it() -> None:
    for data in (None, {"one": "a&b", "many": ["1", "2"], "odd": "2"}, {"one": "nonsense"}):
        ours, theirs = Form(data, renderer=Renderer()), Form(data, renderer=DjangoTemplates())
        for name in ours.fields:
            drawn = [form[name].as_widget().replace("\n", "").replace("  ", "") for form in (ours, theirs)]
            assert drawn[0] == drawn[1]
