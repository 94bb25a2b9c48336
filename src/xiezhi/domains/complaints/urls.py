from django.urls import path

from xiezhi.domains.complaints.views import acts, callbacks, cases, figures, intake, malls, models, suggestions, topics

app_name = "complaints"
urlpatterns = [
    path("cases/", cases.case_list, name="cases"),
    path("cases/new/", intake.new, name="new"),
    path("cases/look/", suggestions.look_again, name="look"),
    path("cases/next/", cases.next_case, name="next"),
    path("cases/<int:pk>/", cases.case_detail, name="case"),
    path("cases/<int:pk>/person/", cases.person, name="person"),
    path("cases/<int:pk>/agreement/<int:of>/", cases.agreement, name="agreement"),
    path("cases/<int:pk>/similar/", suggestions.similar, name="similar"),
    path("cases/<int:pk>/adopt/<slug:kind>/", suggestions.adopt, name="adopt"),
    path("cases/<int:pk>/join/<int:of>/", suggestions.join, name="join"),
    path("cases/<int:pk>/<slug:act>/", acts.act, name="act"),
    path("cases/<int:pk>/<slug:act>/<int:of>/", acts.act_of, name="act_of"),
    path("models/", models.model_list, name="models"),
    path("models/train/", models.train, name="models_train"),
    path("models/upload/", models.upload, name="models_upload"),
    path("models/use/", models.use, name="models_use"),
    path("models/keys/", models.fill_keys, name="models_keys"),
    path("topics/", topics.topic_list, name="topics"),
    path("topics/<int:pk>/", topics.topic_detail, name="topic"),
    path("topics/<int:pk>/check/", topics.check, name="topic_check"),
    path("topics/<int:pk>/<slug:move>/", topics.move, name="topic_move"),
    path("callbacks/", callbacks.callback_list, name="callbacks"),
    path("callbacks/next/", callbacks.callback_next, name="callback_next"),
    path("callbacks/<int:pk>/", callbacks.callback, name="callback"),
    path("callbacks/<int:pk>/number/", callbacks.callback_number, name="callback_number"),
    path("callbacks/<int:pk>/follow/", callbacks.callback_follow, name="callback_follow"),
    path("figures/", figures.figures, name="figures"),
    path("figures/cases/", figures.figure_cases, name="figure_cases"),
    path("mall/figures/", figures.mall_figures, name="mall_figures"),
    path("mall/", malls.request_list, name="mall_requests"),
    path("mall/<int:pk>/", malls.request_detail, name="mall_request"),
]
