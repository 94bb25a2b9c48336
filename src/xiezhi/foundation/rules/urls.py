from django.urls import path

from xiezhi.foundation.rules.views import comparing, confirming, exchange, rules

app_name = "rules"
urlpatterns = [
    path("", rules.rules, name="list"),
    path("pending/", confirming.pending, name="pending"),
    path("compare/", comparing.book, name="compare"),
    path("exchange/", exchange.overview, name="exchange"),
    path("exchange/export/", exchange.export, name="export"),
    path("exchange/import/", exchange.take_in, name="import"),
    path("<str:key>/", rules.rule, name="detail"),
    path("<str:key>/versions/", comparing.versions, name="versions"),
    path("<str:key>/change/", rules.change, name="change"),
    path("<str:key>/confirm/", confirming.confirm, name="confirm"),
    path("<str:key>/assign/", confirming.assign, name="assign"),
    path("versions/<int:pk>/withdraw/", rules.withdraw, name="withdraw"),
]
