from django.urls import path

from xiezhi.foundation.access import views

app_name = "access"
urlpatterns = [
    path("switch/", views.switch, name="switch"),
    path("", views.people, name="people"),
    path("new/", views.open_account, name="open_account"),
    path("<int:pk>/", views.person, name="person"),
    path("<int:pk>/appoint/", views.appoint, name="appoint"),
    path("appointments/<int:pk>/end/", views.end, name="end"),
]
