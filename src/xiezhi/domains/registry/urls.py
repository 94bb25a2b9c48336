from django.urls import path

from xiezhi.domains.registry.views import matches, premises, scenes, subjects

app_name = "registry"
urlpatterns = [
    path("", subjects.subject_list, name="subjects"),
    path("new/", subjects.subject_new, name="subject_new"),
    path("label/", subjects.label, name="label"),
    path("<int:pk>/", subjects.subject_detail, name="subject"),
    path("<int:pk>/edit/", subjects.subject_edit, name="subject_edit"),
    path("<int:pk>/joint/", subjects.joint_choice, name="joint_choice"),
    path("<int:pk>/premises/new/", premises.premises_new, name="premises_new"),
    path("<int:pk>/moves/<slug:move>/", subjects.subject_move, name="subject_move"),
    path("premises/<int:pk>/", premises.premises_edit, name="premises"),
    path("scenes/", scenes.scene_list, name="scenes"),
    path("scenes/new/", scenes.scene_new, name="scene_new"),
    path("scenes/<int:pk>/", scenes.scene_edit, name="scene"),
    path("scenes/<int:pk>/remove/", scenes.scene_remove, name="scene_remove"),
    path("matches/", matches.match_list, name="matches"),
    path("matches/<int:pk>/", matches.match_detail, name="match"),
    path("matches/<int:pk>/<slug:move>/", matches.match_move, name="match_move"),
]
