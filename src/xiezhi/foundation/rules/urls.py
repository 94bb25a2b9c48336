from django.urls import path

from xiezhi.foundation.rules import views

app_name = "rules"
urlpatterns = [
    path("", views.rules, name="list"),
    path("<str:key>/", views.rule, name="detail"),
    path("<str:key>/change/", views.change, name="change"),
    path("versions/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
]
