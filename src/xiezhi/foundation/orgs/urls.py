from django.urls import path

from xiezhi.foundation.orgs import views

app_name = "orgs"
urlpatterns = [
    path("", views.organisation_list, name="list"),
    path("new/", views.organisation_new, name="new"),
    path("<int:pk>/", views.organisation_rename, name="rename"),
    path("officers/", views.officer_list, name="officers"),
    path("officers/new/", views.officer_new, name="officer_new"),
    path("officers/<int:pk>/", views.officer_edit, name="officer"),
    path("capacity/", views.capacity, name="capacity"),
    path("capacity/patterns/new/", views.pattern_new, name="pattern_new"),
    path("capacity/patterns/<int:pk>/end/", views.pattern_end, name="pattern_end"),
    path("capacity/absences/new/", views.absence_new, name="absence_new"),
    path("capacity/absences/<int:pk>/cancel/", views.absence_cancel, name="absence_cancel"),
]
