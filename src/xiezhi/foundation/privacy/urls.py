from django.urls import path

from xiezhi.foundation.privacy import views

app_name = "privacy"
urlpatterns = [
    path("", views.overview, name="map"),
    path("openings/", views.openings, name="openings"),
    path("mine/", views.mine, name="mine"),
    path("open/<str:kind>/<int:pk>/", views.open_row, name="open"),
    path("retention/", views.retention, name="retention"),
    path("requests/", views.requests, name="requests"),
    path("requests/new/", views.ask, name="ask"),
    path("requests/<int:pk>/", views.detail, name="request"),
    path("requests/<int:pk>/copy/", views.copy, name="copy"),
    path("requests/<int:pk>/erase/", views.erase, name="erase"),
    path("requests/<int:pk>/close/", views.close, name="close"),
]
