from django.urls import path

from xiezhi.foundation.notices import channel_views, setting_views, views

app_name = "notices"
urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("<int:pk>/", views.open_notice, name="open"),
    path("read/", views.read, name="read"),
    path("settings/", setting_views.settings_page, name="settings"),
    path("settings/quiet/", setting_views.quiet, name="quiet"),
    path("settings/<str:kind>/", setting_views.wish, name="wish"),
    path("settings/<str:kind>/test/", setting_views.wish_test, name="wish_test"),
    path("settings/<str:kind>/remove/", setting_views.wish_remove, name="wish_remove"),
    path("log/", channel_views.log, name="log"),
    path("log/resend/", channel_views.resend, name="resend"),
    path("channels/", channel_views.channels, name="channels"),
    path("channels/<str:kind>/", channel_views.channel, name="channel"),
    path("channels/<str:kind>/test/", channel_views.channel_test, name="channel_test"),
    path("channels/<str:kind>/remove/", channel_views.channel_remove, name="channel_remove"),
]
