"""Addresses under /desk/inspections/, one list per noun beside its views."""

from django.urls import URLPattern

app_name = "inspections"
urlpatterns: list[URLPattern] = []
