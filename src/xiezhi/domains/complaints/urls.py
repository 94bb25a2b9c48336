from django.urls import path

from xiezhi.domains.complaints.views import acts, cases, intake, malls

app_name = "complaints"
urlpatterns = [
    path("cases/", cases.case_list, name="cases"),
    path("cases/new/", intake.new, name="new"),
    path("cases/next/", cases.next_case, name="next"),
    path("cases/<int:pk>/", cases.case_detail, name="case"),
    path("cases/<int:pk>/person/", cases.person, name="person"),
    path("cases/<int:pk>/agreement/<int:of>/", cases.agreement, name="agreement"),
    path("cases/<int:pk>/<slug:act>/", acts.act, name="act"),
    path("cases/<int:pk>/<slug:act>/<int:of>/", acts.act_of, name="act_of"),
    path("mall/", malls.request_list, name="mall_requests"),
    path("mall/<int:pk>/", malls.request_detail, name="mall_request"),
]
