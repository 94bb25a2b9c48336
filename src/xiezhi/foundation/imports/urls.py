from django.urls import path

from xiezhi.foundation.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.import_list, name="list"),
    path("new/<str:key>/", views.start, name="start"),
    path("template/<str:key>/", views.template, name="template"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/columns/", views.columns, name="columns"),
    path("<int:pk>/sheet/", views.sheet, name="sheet"),
    path("<int:pk>/check/", views.check, name="check"),
    path("<int:pk>/apply/", views.apply, name="apply"),
    path("<int:pk>/refused/", views.refused, name="refused"),
    path("<int:pk>/abandon/", views.abandon, name="abandon"),
]
