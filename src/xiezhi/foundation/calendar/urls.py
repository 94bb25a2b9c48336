from django.urls import path

from xiezhi.foundation.calendar import views

app_name = "calendar"
urlpatterns = [
    path("", views.year, name="year"),
    path("import/", views.import_notice, name="import"),
    path("versions/<int:pk>/", views.version, name="version"),
]
