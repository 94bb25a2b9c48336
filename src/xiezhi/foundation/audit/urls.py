from django.urls import path

from xiezhi.foundation.audit import views

app_name = "audit"
urlpatterns = [path("<str:kind>/<str:object_id>/", views.history, name="history")]
