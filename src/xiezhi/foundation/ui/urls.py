from django.urls import path

from xiezhi.foundation.ui import views

app_name = "ui"
urlpatterns = [
    path("", views.saved_views, name="views"),
    path("save/", views.save_view, name="save_view"),
    path("<int:pk>/", views.change_view, name="change_view"),
    path("<int:pk>/remove/", views.remove_view, name="remove_view"),
]
