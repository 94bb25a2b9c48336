"""Every page answers, shows what it must, and hides other people's things."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.builders.cast import FOUNDER, NOW, PASSWORD
from tests.builders.prepaid import World, balances, enterprise
from tests.support.receiver import listening
from xiezhi.domains.prepaid.models import ApiKey, Card, Dispute, Merchant, Product, Reversal
from xiezhi.domains.prepaid.services import bank, cards, custody, keys
from xiezhi.foundation.access.services import appoint, open_account
from xiezhi.foundation.orgs.models import Organisation


def person(organisation: Organisation, role: str) -> Client:
    """Somebody logged in."""
    name = f"{role}.{organisation.pk}"
    at = timezone.now()
    user = open_account(username=name, display_name=name, password=PASSWORD, actor=FOUNDER, at=at)
    appoint(user=user, organisation=organisation, role=role, starts_on=at.date(), actor=FOUNDER, at=at)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def clients(world: World) -> dict[str, Client]:
    return {
        "regulator": person(world.cast["scjg"], "fund_supervisor"),
        "owner": person(world.body, "merchant"),
        "cashier": person(world.body, "cashier"),
        "bank": person(world.bank, "bank"),
    }


def told(client: Client, name: str, *args: Any, status: int = 200, **query: Any) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status, (name, answer.status_code)
    return answer.content.decode()


def test_every_list_is_empty_with_words_and_then_shows_its_rows(world: World, clients: dict[str, Client]) -> None:
    owner, regulator = clients["owner"], clients["regulator"]
    for name in ("cards", "products", "releases", "statements", "differences", "disputes", "keys"):
        assert "empty" in told(owner, f"prepaid:{name}")
    at = timezone.now()
    sale = world.sale(paid=123_400, at=at)
    used = world.redeem(sale.card, amount_fen=3_400, at=at)
    key = keys.issue_key(merchant=world.merchant, label="一号机", scopes=["read"], actor=world.owner, at=at)
    custody.deposit(account=world.account, amount_fen=50_000, reference="B1", actor=world.owner, at=at)
    release = custody.request_release(
        account=world.account, amount_fen=10_000, purpose="演示", key="r", actor=world.owner, at=at
    )
    text = f"账号,流水号,日期,收入,支出,参考号\n{world.account.number},L1,{at:%Y-%m-%d},5.00,,\n"
    bank.import_statements(content=text.encode(), name="流水.csv", actor=world.banker, at=at)
    from xiezhi.domains.prepaid.services import disputes

    dispute = disputes.raise_dispute(card=sale.card, operation=used.operation, words="没有消费", at=at)
    assert "1,200.00" in told(owner, "prepaid:cards")
    assert "1,234.00" in told(owner, "prepaid:card", sale.card.pk)
    assert keys.secret_of(key) in told(owner, "prepaid:key", key.pk)
    for name, pk in (("release", release.pk), ("dispute", dispute.pk)):
        told(owner, f"prepaid:{name}", pk)
        told(regulator, f"prepaid:{name}", pk)
    for difference in world.account.differences.all():
        told(regulator, "prepaid:difference", difference.pk)
        told(clients["bank"], "prepaid:difference", difference.pk)
    for client in clients.values():
        told(client, "prepaid:merchant", world.merchant.pk)
        told(client, "prepaid:releases")
    assert world.merchant.subject.name in told(regulator, "prepaid:merchants")
    assert regulator.get(reverse("prepaid:merchants"), {"_export": "csv"}).status_code == 200
    told(regulator, "desk:home")
    told(owner, "desk:home")
    told(owner, "prepaid:webhook")


def test_others_find_nothing(world: World, other_world: World, clients: dict[str, Client]) -> None:
    stranger = person(other_world.body, "merchant")
    sale = world.sale(paid=10_000, at=timezone.now())
    key = keys.issue_key(merchant=world.merchant, label="一", scopes=["read"], actor=world.owner, at=timezone.now())
    for name, pk in (
        ("merchant", world.merchant.pk),
        ("card", sale.card.pk),
        ("key", key.pk),
        ("card_refund", sale.card.pk),
    ):
        told(stranger, f"prepaid:{name}", pk, status=404)
    told(clients["cashier"], "prepaid:keys", status=403)
    told(clients["bank"], "prepaid:register", status=403)
    told(clients["owner"], "prepaid:statement_new", status=404)
    assert Client().get(reverse("prepaid:merchants")).status_code == 302
    assert Client().get(reverse("till")).status_code == 302


def test_the_regulator_registers_and_the_merchant_sets_up_shop(world: World, clients: dict[str, Client]) -> None:
    from tests.builders.registry import a_subject

    subject = a_subject(world.cast, 899_001)
    regulator, owner = clients["regulator"], clients["owner"]
    data = {"code": subject.code, "industry": "commerce"}
    assert regulator.post(reverse("prepaid:register"), data).status_code == 302
    merchant = Merchant.objects.get(subject=subject)
    assert regulator.post(reverse("prepaid:register"), data).status_code == 422
    account = {"bank": world.bank.pk, "number": "6200 1111 2222"}
    assert regulator.post(reverse("prepaid:account_new", args=[merchant.pk]), account).status_code == 302
    assert (
        regulator.post(
            reverse("prepaid:guarantee_new", args=[merchant.pk]), {"amount_fen": "1000", "reference": "G1"}
        ).status_code
        == 302
    )
    assert regulator.post(reverse("prepaid:issuing", args=[merchant.pk]), {"reason": "演示"}).status_code == 302
    merchant.refresh_from_db()
    assert merchant.status == "stopped"
    product = {"code": "S1", "name": "储值卡", "kind": "stored", "named": "on"}
    assert owner.post(reverse("prepaid:product_new"), {**product, "bonus_fen": "1.005"}).status_code == 422
    assert owner.post(reverse("prepaid:product_new"), product).status_code == 302
    assert Product.objects.get().named
    made = owner.post(reverse("prepaid:key_new"), {"label": "一号机", "scopes": ["read"]})
    assert made.status_code == 302
    assert owner.post(reverse("prepaid:key", args=[ApiKey.objects.get().pk]), {"revoke": "1"}).status_code == 302


def test_a_mall_sees_its_tenants_and_nobody_elses(world: World, other_world: World, clients: dict[str, Client]) -> None:
    mall = enterprise(world.cast, "演示商场")
    manager = person(mall, "mall")
    told(manager, "prepaid:merchant", world.merchant.pk, status=404)
    lease = {"mall": mall.pk, "unit": "L1-08", "starts_on": "2026-01-01", "ends_on": "2027-12-31"}
    to_new = reverse("prepaid:tenancy_new", args=[world.merchant.pk])
    assert clients["regulator"].post(to_new, lease).status_code == 302
    assert clients["regulator"].post(to_new, {**lease, "starts_on": "2027-06-01"}).status_code == 422
    assert world.merchant.subject.name in told(manager, "prepaid:merchants")
    assert "L1-08" in told(manager, "prepaid:merchant", world.merchant.pk)
    told(manager, "prepaid:merchant", other_world.merchant.pk, status=404)


def test_the_till_sells_and_redeems_once_however_often_it_is_pressed(world: World, clients: dict[str, Client]) -> None:
    product, till = world.product(), reverse("till")
    cashier = clients["cashier"]
    sale = {"act": "sell", "s-product": product.pk, "s-paid_fen": "100", "s-phone": "19900000001", "s-key": "form:a"}
    assert "售卡成功" in cashier.post(till, sale).content.decode()
    cashier.post(till, sale)
    card = Card.objects.get()
    use = {"act": "redeem", "r-number": card.number, "r-amount_fen": "30.50", "r-key": "form:b"}
    assert "核销成功" in cashier.post(till, use).content.decode()
    assert "69.50" in cashier.post(till, use).content.decode()
    refused = cashier.post(till, {**use, "r-amount_fen": "69.51", "r-key": "form:c"})
    assert refused.status_code == 422
    assert "余额不足" in refused.content.decode()


def test_a_holder_sees_confirms_and_objects_with_nothing_but_the_link(world: World, clients: dict[str, Client]) -> None:
    at = timezone.now()
    sale = world.sale(paid=10_000, confirm_each=True, at=at)
    other = world.sale(paid=77_700, at=at).card
    held = world.redeem(sale.card, amount_fen=4_000, at=at)
    holder = Client()
    assert "还没有打开过" in told(holder, "my_cards")
    told(holder, "my_card", sale.card.number, status=404)
    told(holder, "my_open", "guess", status=404)
    assert holder.get(reverse("my_open", args=[sale.token])).status_code == 302
    assert "100.00" in told(holder, "my_cards")
    page = told(holder, "my_card", sale.card.number)
    assert "请您确认" in page
    told(holder, "my_card", other.number, status=404)
    answer = holder.post(reverse("my_confirm", args=[sale.card.number, held.operation]), {"answer": "yes"})
    assert answer.status_code == 302
    assert "60.00" in told(holder, "my_card", sale.card.number)
    told(holder, "my_dispute", sale.card.number, held.operation)
    assert (
        holder.post(reverse("my_dispute", args=[sale.card.number, held.operation]), {"words": "不是我"}).status_code
        == 302
    )
    assert Dispute.objects.get().words == "不是我"
    statement = told(holder, "my_statement", sale.card.number)
    assert "60.00" in statement
    token = cards.renew_link(sale.card.holder)
    assert Client().get(reverse("my_open", args=[sale.token])).status_code == 404
    assert Client().get(reverse("my_open", args=[token])).status_code == 302
    dispute = Dispute.objects.get()
    assert clients["owner"].post(reverse("prepaid:dispute", args=[dispute.pk]), {"answer": "已核对"}).status_code == 302
    assert "已核对" in told(holder, "my_card", sale.card.number)


def test_the_desk_refunds_hands_on_and_replaces(world: World, clients: dict[str, Client]) -> None:
    owner, at = clients["owner"], timezone.now()
    card = world.sale(paid=10_000, at=at).card
    assert (
        owner.post(reverse("prepaid:card_refund", args=[card.pk]), {"amount_fen": "10", "key": "form:1"}).status_code
        == 302
    )
    for move in ("lost", "found", "lost", "reissue"):
        assert owner.post(reverse(f"prepaid:card_{move}", args=[card.pk])).status_code == 302
    assert owner.post(reverse("prepaid:card_reissue", args=[card.pk])).status_code == 302, (
        "a second click finds the new card"
    )
    new = Card.objects.get(predecessor=card)
    moved = owner.post(reverse("prepaid:card_transfer", args=[new.pk]), {"phone": "19900000055", "key": "form:2"})
    assert moved.status_code == 302
    last = Card.objects.get(predecessor=new)
    assert "/my/open/" in owner.post(reverse("prepaid:card_link", args=[last.pk])).content.decode()
    assert "90.00" in told(owner, "prepaid:card", last.pk)


def sent(client: Client, name: str, *args: Any, **data: Any) -> Any:
    answer = client.post(reverse(name, args=args), data, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return answer


def test_money_that_leaves_custody_is_noted_by_whose_business_it_is(world: World, clients: dict[str, Client]) -> None:
    at, merchant = timezone.now(), world.merchant
    owner, regulator, banker = clients["owner"], clients["regulator"], clients["bank"]
    sale = world.sale(paid=100_000, at=at)
    custody.deposit(account=world.account, amount_fen=50_000, reference="B1", actor=world.owner, at=at)
    world.refund(sale.card, 30_000, at=at)
    assert sale.card.number in told(owner, "prepaid:refund_pay")
    assert "¥300.00" in told(owner, "prepaid:refund_pay")
    sent(owner, "prepaid:refund_pay", account=world.account.pk, amount_fen="100", reference="P1")
    sent(owner, "prepaid:refund_pay", amount_fen="200", reference="P2")
    assert world.balance("refunds") == 0 and world.balance("custody") == 40_000
    sent(banker, "prepaid:fee_new", merchant.pk, account=world.account.pk, amount_fen="1.5", reference="F1")
    sent(regulator, "prepaid:guarantee_new", merchant.pk, amount_fen="500", reference="G1")
    sent(regulator, "prepaid:guarantee_call", merchant.pk, account=world.account.pk, amount_fen="80", reference="G2")
    assert (world.balance("custody"), world.balance("guarantee")) == (47_850, 42_000)
    book = told(banker, "prepaid:journal", merchant.pk)
    assert "银行费用" in book and "担保代偿" in book and "担保额度" not in book.partition("<table")[2]


def test_a_wrong_entry_is_taken_back_from_the_page_by_two_people(world: World, clients: dict[str, Client]) -> None:
    sale = world.sale(paid=10_000, at=timezone.now())
    used = world.redeem(sale.card, amount_fen=2_000, at=timezone.now())
    owner, colleague = clients["owner"], clients["regulator"]
    way = f"{reverse('prepaid:reversal_new', args=[world.merchant.pk])}?operation={used.operation}"
    assert way in told(owner, "prepaid:card", sale.card.pk)
    asked = sent(owner, "prepaid:reversal_new", world.merchant.pk, operation=used.operation, reason="多扣一次")
    assert "自己不能复核" in asked.content.decode()
    reversal = Reversal.objects.get()
    sent(colleague, "prepaid:reversal_move", reversal.pk, "approve", seen_status="requested")
    assert balances(sale.card)["principal"] == 10_000


def test_an_expired_card_lives_again_and_a_product_goes_off_sale(world: World, clients: dict[str, Client]) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    kept, left = (world.sale(paid=10_000, kind="count", uses=10, term_days=30, at=long_ago).card for _ in range(2))
    owner = clients["owner"]
    assert reverse("prepaid:card_activate", args=[kept.pk]) in told(owner, "prepaid:card", kept.pk)
    sent(owner, "prepaid:card_activate", kept.pk, sure="on")
    kept.refresh_from_db()
    assert kept.expires_on == timezone.localdate() + timedelta(days=30)
    sent(owner, "prepaid:card_exchange", left.pk, key="exchange-1")
    left.refresh_from_db()
    assert left.status == "closed" and balances(left.successor)["principal"] == 10_000
    sent(owner, "prepaid:products_withdraw", selected=[kept.product_id])
    kept.product.refresh_from_db()
    assert not kept.product.is_sold


def test_a_code_to_the_telephone_opens_the_cards_bought_with_it(world: World, settings: Any, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    card = world.sell(world.product(), 20_000, phone="19900004321").card
    visitor = Client()
    asked = {"number": "199 0000 4321"}
    closed = visitor.post(reverse("my_phone"), asked)
    assert closed.status_code == 422 and "没有开通短信" in closed.content.decode()
    with listening() as gateway:
        settings.NOTICE_CHANNELS = {"sms": gateway.address(query=":phone={to}")}
        assert visitor.post(reverse("my_phone"), {"number": "12345"}).status_code == 422
        assert visitor.post(reverse("my_phone"), asked).status_code == 302
        (message,) = gateway.texts
        code = re.search(r"\d{6}", message)
        assert code and "19900004321" not in str(dict(visitor.session))
        assert "还可以试 2 次" in visitor.post(reverse("my_code"), {"code": "no"}).content.decode()
        assert visitor.post(reverse("my_code"), {"code": code[0]}).status_code == 302
        assert card.number in told(visitor, "my_card", card.number)
        assert "请先填手机号" in visitor.post(reverse("my_code"), {"code": code[0]}).content.decode(), "used up"

        assert "太频繁" in visitor.post(reverse("my_phone"), asked).content.decode()
        stranger = Client()
        assert stranger.post(reverse("my_phone"), {"number": "19900009876"}).status_code == 302, "told the same"
        assert len(gateway.received) == 1, "and nothing sent"
        time_machine.move_to(NOW + timedelta(minutes=6), tick=False)
        assert "已过期" in stranger.post(reverse("my_code"), {"code": "1"}).content.decode()
