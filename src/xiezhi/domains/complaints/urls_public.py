"""The public's own pages; they belong to no desk."""

from django.urls import path

from xiezhi.domains.complaints.views import public

app_name = "appeals"
urlpatterns = [
    path("", public.home, name="home"),
    path("new/", public.new, name="new"),
    path("review/<slug:token>/", public.review, name="review"),
    path("look-up/", public.look_up, name="look_up"),
    path("mine/", public.mine, name="mine"),
    path("open/<slug:number>/<slug:code>/", public.open_link, name="open"),
    path("<slug:number>/", public.progress, name="progress"),
    path("<slug:number>/receipt/", public.receipt, name="receipt"),
    path("<slug:number>/add/", public.add, name="add"),
    path("<slug:number>/withdraw/", public.withdraw, name="withdraw"),
    path("<slug:number>/rate/", public.rate, name="rate"),
]
