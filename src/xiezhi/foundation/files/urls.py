from django.urls import path

from xiezhi.foundation.files import views

app_name = "files"
urlpatterns = [
    path("<int:pk>/", views.download, name="download"),
    path("short/<str:token>/", views.short, name="short"),
]
