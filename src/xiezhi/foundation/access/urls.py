from django.urls import path

from xiezhi.foundation.access import account_views, elevation_views, views

app_name = "access"
urlpatterns = [
    path("switch/", views.switch, name="switch"),
    path("", views.people, name="people"),
    path("new/", views.open_account, name="open_account"),
    path("<int:pk>/", views.person, name="person"),
    path("<int:pk>/appoint/", views.appoint, name="appoint"),
    path("<int:pk>/phone/", account_views.phone, name="phone"),
    path("<int:pk>/handover/", account_views.hand_over, name="handover"),
    path("<int:pk>/account/<slug:move>/", account_views.account_act, name="account_act"),
    path("appointments/<int:pk>/end/", views.end, name="end"),
    path("elevation/", elevation_views.elevation, name="elevation"),
    path("elevation/<int:pk>/<slug:move>/", elevation_views.elevation_move, name="elevation_move"),
    path("elevations/", elevation_views.elevations_list, name="elevations"),
    path("elevations/<int:pk>/", elevation_views.elevation_detail, name="elevation_detail"),
]
