from django.urls import path

from xiezhi.domains.complaints.views import cases, malls

app_name = "complaints"
urlpatterns = [
    path("cases/", cases.case_list, name="cases"),
    path("cases/<int:pk>/", cases.case_detail, name="case"),
    path("mall/", malls.request_list, name="mall_requests"),
    path("mall/<int:pk>/", malls.request_detail, name="mall_request"),
]
