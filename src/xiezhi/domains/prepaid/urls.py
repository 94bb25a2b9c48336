from django.urls import path

from xiezhi.domains.prepaid.views import cards, custody, merchants

app_name = "prepaid"
urlpatterns = [
    path("", merchants.merchant_list, name="merchants"),
    path("register/", merchants.register, name="register"),
    path("<int:pk>/", merchants.merchant_detail, name="merchant"),
    path("<int:pk>/issuing/", merchants.issuing, name="issuing"),
    path("<int:pk>/accounts/new/", merchants.account_new, name="account_new"),
    path("<int:pk>/guarantees/new/", merchants.guarantee_new, name="guarantee_new"),
    path("<int:pk>/tenancies/new/", merchants.tenancy_new, name="tenancy_new"),
    path("deposits/new/", merchants.deposit, name="deposit"),
    path("products/", merchants.product_list, name="products"),
    path("products/new/", merchants.product_new, name="product_new"),
    path("releases/", custody.release_list, name="releases"),
    path("releases/new/", custody.release_new, name="release_new"),
    path("releases/<int:pk>/", custody.release_detail, name="release"),
    path("releases/<int:pk>/<slug:move>/", custody.release_move, name="release_move"),
    path("statements/", custody.statement_list, name="statements"),
    path("statements/new/", custody.statement_new, name="statement_new"),
    path("differences/", custody.difference_list, name="differences"),
    path("differences/<int:pk>/", custody.difference_detail, name="difference"),
    path("disputes/", custody.dispute_list, name="disputes"),
    path("disputes/<int:pk>/", custody.dispute_detail, name="dispute"),
    path("cards/", cards.card_list, name="cards"),
    path("cards/<int:pk>/", cards.card_detail, name="card"),
    path("cards/<int:pk>/refund/", cards.card_refund, name="card_refund"),
    path("cards/<int:pk>/transfer/", cards.card_transfer, name="card_transfer"),
    path("cards/<int:pk>/lost/", cards.card_lost, name="card_lost"),
    path("cards/<int:pk>/link/", cards.card_link, name="card_link"),
    path("batches/new/", cards.batch_new, name="batch_new"),
    path("keys/", cards.key_list, name="keys"),
    path("keys/webhook/", cards.webhook, name="webhook"),
    path("keys/new/", cards.key_new, name="key_new"),
    path("keys/<int:pk>/", cards.key_detail, name="key"),
]
