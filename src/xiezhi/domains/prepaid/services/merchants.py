"""Registering merchants and what they sell."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xiezhi.domains.prepaid import rules
from xiezhi.domains.prepaid.models import BankAccount, Merchant, Product
from xiezhi.domains.prepaid.permissions import PrepaidPermission as May
from xiezhi.domains.prepaid.services import posting
from xiezhi.domains.registry.models import Subject
from xiezhi.domains.registry.services import add_to_timeline
from xiezhi.foundation.access.actors import Actor, PermissionRefused
from xiezhi.foundation.audit.services import record
from xiezhi.foundation.orgs.models import Organisation
from xiezhi.foundation.rules.queries import rule_book
from xiezhi.foundation.workflow.errors import Refused

LONGEST_TERM = 36_500


@transaction.atomic
def register_merchant(
    *,
    subject: Subject,
    industry: str,
    organisation: Organisation | None = None,
    founded_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> Merchant:
    """Take a subject into the supervision of prepaid funds, with an empty book. Raises Refused when it is in already or not in business."""
    actor.require(May.SUPERVISE)
    if Merchant.objects.filter(subject=subject).exists():
        raise Refused(_("这家经营主体已经登记。"))
    if subject.status != Subject.Status.ACTIVE:
        raise Refused(_("这家经营主体的状态是“%(status)s”，不能登记发卡。") % {"status": subject.get_status_display()})
    if industry not in Merchant.Industry.values:
        raise Refused(_("没有这个行业，请重新选择。"))
    merchant = Merchant.objects.create(
        subject=subject, organisation=organisation, industry=industry, founded_on=founded_on, registered_at=at
    )
    posting.open_book(merchant)
    record("prepaid.merchant_registered", merchant, actor=actor, at=at, industry=industry)
    add_to_timeline(subject=subject, kind="prepaid.registered", title=_("登记为发卡经营者"), at=at)
    return merchant


@transaction.atomic
def set_issuing(*, merchant: Merchant, allowed: bool, reason: str, actor: Actor, at: datetime) -> Merchant:
    """Stop a merchant from selling cards (停止发卡), or allow it again. Cards sold before stay usable. Raises Refused without a reason."""
    actor.require(May.SUPERVISE)
    if not reason.strip():
        raise Refused(_("请写明理由。"))
    locked = Merchant.objects.select_for_update().get(pk=merchant.pk)
    status = Merchant.Status.ACTIVE if allowed else Merchant.Status.STOPPED
    if locked.status == status:
        raise Refused(_("已经是“%(status)s”。") % {"status": locked.get_status_display()})
    locked.status, locked.status_reason = status, reason.strip()
    locked.save(update_fields=["status", "status_reason"])
    record("prepaid.issuing_changed", locked, actor=actor, at=at, allowed=allowed)
    title = _("恢复发卡") if allowed else _("停止发卡")
    add_to_timeline(subject=locked.subject, kind="prepaid.issuing", title=title, at=at)
    return locked


@transaction.atomic
def open_bank_account(
    *, merchant: Merchant, bank: Organisation, number: str, actor: Actor, at: datetime
) -> BankAccount:
    """Note a custody account (存管账户) and open its mirror in the book. Raises Refused for a number that is no account number or is taken."""
    actor.require(May.SUPERVISE)
    number = "".join(number.split())
    if not (number.isascii() and number.isalnum() and 8 <= len(number) <= 34):
        raise Refused(_("账号须是 8 至 34 位数字或字母，请核对。"))
    if BankAccount.objects.filter(number=number).exists():
        raise Refused(_("这个账号已经登记。"))
    account = BankAccount.objects.create(merchant=merchant, bank=bank, number=number, opened_at=at)
    posting.open_custody_account(account)
    record("prepaid.custody_account_opened", account, actor=actor, at=at, bank=bank.code)
    return account


@transaction.atomic
def add_product(
    *,
    merchant: Merchant,
    code: str,
    name: str,
    kind: str,
    price_fen: int | None = None,
    bonus_fen: int = 0,
    uses: int = 0,
    term_days: int | None = None,
    named: bool = True,
    confirm_each: bool = False,
    actor: Actor,
    at: datetime,
) -> Product:
    """Offer a product. Raises Refused for facts that do not fit together, or that pass a cap of the merchant's industry."""
    require_own(merchant, actor, May.OPERATE)
    product = Product(
        merchant=merchant,
        code=code.strip(),
        name=name.strip(),
        kind=kind,
        price_fen=price_fen,
        bonus_fen=bonus_fen,
        uses=uses,
        term_days=term_days,
        named=named,
        confirm_each=confirm_each,
        created_at=at,
    )
    _check_facts(product)
    check_caps(product, price_fen or 0, on=timezone.localdate(at))
    if Product.objects.filter(merchant=merchant, code=product.code).exists():
        raise Refused(_("产品代码 %(code)s 已经用过，请换一个。") % {"code": product.code})
    product.save()
    record("prepaid.product_added", product, actor=actor, at=at, code=product.code)
    return product


@transaction.atomic
def withdraw_product(*, product: Product, actor: Actor, at: datetime) -> Product:
    """Sell it no longer. Cards sold before stay as they are."""
    require_own(product.merchant, actor, May.OPERATE)
    locked: Product = Product.objects.select_for_update().get(pk=product.pk)
    locked.is_sold = False
    locked.save(update_fields=["is_sold"])
    record("prepaid.product_withdrawn", locked, actor=actor, at=at)
    return locked


def require_own(merchant: Merchant, actor: Actor, permission: str) -> None:
    """Raise PermissionRefused unless the actor holds `permission` and works for this merchant."""
    actor.require(permission)
    if merchant.organisation_id is None or merchant.organisation_id != actor.organisation_id:
        raise PermissionRefused(_("只能办理本单位的预付卡业务。"))


def _check_facts(product: Product) -> None:
    counted = product.kind in {Product.Kind.COUNT, Product.Kind.COURSE}
    if product.kind not in Product.Kind.values or not product.code or not product.name:
        raise Refused(_("请填写产品代码、名称和类别。"))
    if product.price_fen is None and product.kind != Product.Kind.STORED:
        raise Refused(_("次卡、期限卡和课程卡要写明售价。"))
    if counted != (product.uses > 0):
        raise Refused(_("次卡和课程卡要写明次数，储值卡和期限卡没有次数。"))
    if product.kind == Product.Kind.PERIOD and not product.term_days:
        raise Refused(_("期限卡要写明有效天数。"))
    if product.bonus_fen and product.kind != Product.Kind.STORED:
        raise Refused(_("只有储值卡可以赠送金额。"))
    if product.kind == Product.Kind.PERIOD and product.confirm_each:
        raise Refused(_("期限卡按天确认，没有逐次核销，不用持卡人确认。"))
    if (product.price_fen is not None and product.price_fen <= 0) or product.bonus_fen < 0:
        raise Refused(_("售价须大于零，赠送金额不能为负。"))
    if product.term_days is not None and not 1 <= product.term_days <= LONGEST_TERM:
        raise Refused(_("有效天数须在 1 到 %(most)s 之间。") % {"most": LONGEST_TERM})


def check_caps(product: Product, paid_fen: int, *, on: date) -> None:
    """Raise Refused when a sale of `paid_fen` passes what the rules of the industry allow on that day, naming the rule."""
    book = rule_book(
        rules.NAMED_CAP,
        rules.ANONYMOUS_CAP,
        rules.ANONYMOUS_TERM,
        rules.YOUTH_CAP,
        rules.YOUTH_MONTHS,
        rules.YOUTH_CLASSES,
    )
    industry = product.merchant.industry
    if industry == Merchant.Industry.COMMERCE:
        cap = book.reading(rules.NAMED_CAP if product.named else rules.ANONYMOUS_CAP, on=on)
        if paid_fen > cap.value * 100:
            raise Refused(
                _("超过%(title)s %(cap)s（%(source)s）。")
                % {"title": cap.title, "cap": cap.display, "source": cap.instrument}
            )
        term = book.reading(rules.ANONYMOUS_TERM, on=on)
        stored = product.kind == Product.Kind.STORED
        if stored and product.term_days is not None and (product.named or product.term_days < 365 * term.value):
            raise Refused(
                _("记名储值卡不得设有效期，不记名卡有效期不少于 %(term)s（%(source)s）。")
                % {"term": term.display, "source": term.instrument}
            )
    if industry == Merchant.Industry.YOUTH_SPORTS:
        cap = book.reading(rules.YOUTH_CAP, on=on)
        classes, months = book.reading(rules.YOUTH_CLASSES, on=on), book.reading(rules.YOUTH_MONTHS, on=on)
        if paid_fen > cap.value * 100:
            raise Refused(
                _("超过%(title)s %(cap)s（%(source)s）。")
                % {"title": cap.title, "cap": cap.display, "source": cap.instrument}
            )
        if product.uses > classes.value:
            raise Refused(
                _("一次收费不得超过 %(cap)s（%(source)s）。") % {"cap": classes.display, "source": classes.instrument}
            )
        by_time = product.kind in {Product.Kind.PERIOD, Product.Kind.STORED}
        longest = on + timedelta(days=31 * months.value)
        if by_time and (not product.term_days or on + timedelta(days=product.term_days) > longest):
            raise Refused(
                _("一次收费不得超过 %(cap)s（%(source)s）。") % {"cap": months.display, "source": months.instrument}
            )
