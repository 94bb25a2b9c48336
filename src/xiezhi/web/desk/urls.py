from django.urls import path

from xiezhi.web.desk import views

app_name = "desk"
urlpatterns = [path("", views.home, name="home")]
