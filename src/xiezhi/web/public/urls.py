from django.urls import path

from xiezhi.domains.complaints.views import statistics
from xiezhi.domains.prepaid.views import holder, till

urlpatterns = [
    path("statistics/", statistics.statistics, name="statistics"),
    path("till/", till.till, name="till"),
    path("my/", holder.my_cards, name="my_cards"),
    path("my/phone/", holder.my_phone, name="my_phone"),
    path("my/code/", holder.my_code, name="my_code"),
    path("my/open/<str:token>/", holder.open_link, name="my_open"),
    path("my/cards/<slug:number>/", holder.my_card, name="my_card"),
    path("my/cards/<slug:number>/statement/", holder.my_statement, name="my_statement"),
    path("my/cards/<slug:number>/<int:operation>/confirm/", holder.my_confirm, name="my_confirm"),
    path("my/cards/<slug:number>/<int:operation>/dispute/", holder.my_dispute, name="my_dispute"),
]
