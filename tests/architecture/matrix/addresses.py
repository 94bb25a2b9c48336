"""What stands behind a line of the table: the parts of its address, and what a person would send there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse

from tests.architecture.matrix.desks import Desks
from tests.architecture.matrix.shops import Shop
from tests.architecture.matrix.world import CLOCK, LATER, RULE, Side, World
from xiezhi.domains.complaints.models import ReplyTemplate
from xiezhi.domains.complaints.services.public import code_of
from xiezhi.foundation.calendar.models import CalendarVersion
from xiezhi.foundation.files import links
from xiezhi.foundation.files.models import StoredFile

Parts = dict[str, Any]
SOMEBODY_ELSE = "csgl.inspector"
"""Whose post, job, file and message the others try to reach."""
TODAY = CLOCK.date().isoformat()


@dataclass(frozen=True)
class Aim:
    """One line as one person meets it.

    `about` is the line's third word: whose object (`own`, `foreign`; `any` for what belongs to no department), after `+` whose the
    second object in the address is, after `/` the move that is asked for or what else is special.
    """

    world: World
    route: str
    about: str
    person: str

    @property
    def whose(self) -> str:
        return self.about.partition("/")[0].partition("+")[0]

    @property
    def side(self) -> Side:
        return self.world.sides[self.whose]

    @property
    def inner(self) -> Side:
        """The second object's side; the same as the first's unless the line says otherwise."""
        return self.world.sides[self.about.partition("/")[0].partition("+")[2] or self.whose]

    @property
    def shop(self) -> Shop:
        return self.world.shops[self.whose]

    @property
    def desk(self) -> Desks:
        return self.world.desks[self.whose]

    @property
    def word(self) -> str:
        return self.about.partition("/")[2]

    def kept(self, by_person: Mapping[str, int]) -> int:
        """The person's own, or somebody else's. Who has none of their own tries somebody else's."""
        mine = self.whose == "own" and self.person in by_person
        return by_person[self.person if mine else SOMEBODY_ELSE]

    def address(self) -> str:
        """Raises KeyError where the line names an object and `ADDRESSES` does not know the route."""
        parts = ADDRESSES[self.route](self) if self.about and self.route not in WITHOUT_PARTS else {}
        return reverse(self.route, kwargs=parts)

    def sent(self) -> Parts:
        """The form, valid where that takes few fields, else empty."""
        return BODIES[self.route](self) if self.route in BODIES else {}


WITHOUT_PARTS = {
    *("access:switch", "inspections:answers_confirm", "notices:read", "registry:label", "till"),
    *("prepaid:products_withdraw", "prepaid:deliveries_retry"),
}
"""Routes that name the object in what is sent."""


def _batch(aim: Aim) -> Parts:
    return {"pk": aim.side.batch.pk}


def _draft(aim: Aim) -> Parts:
    return {"pk": aim.side.draft.pk}


def _check(aim: Aim) -> Parts:
    check = aim.side.off_site if aim.word in {"finish_off_site", "go_on_site"} else aim.side.waiting
    return {"pk": check.pk, **_move(aim)}


def _round(aim: Aim) -> Parts:
    return {"pk": aim.world.rounds["sent" if aim.word == "sent" else "unsent"].pk}


def _leftover(aim: Aim) -> Parts:
    leftovers = aim.world.rounds[aim.word].leftovers
    return {**_round(aim), "leftover_pk": leftovers.get(check_task__department__code=aim.side.department).pk}


def _offered(aim: Aim) -> Parts:
    return {"pk": aim.side.visits["suggested" if aim.word == "suggested" else "offered"].pk}


def _under_way(aim: Aim) -> Parts:
    return {"pk": aim.side.visits["under_way"].pk}


def _recorded(aim: Aim) -> Parts:
    return {"pk": aim.side.visits["recorded"].pk}


def _subject(aim: Aim) -> Parts:
    return {"pk": aim.world.door.subject_id}


def _scene(aim: Aim) -> Parts:
    return {"pk": aim.world.scene.pk}


def _person(aim: Aim) -> Parts:
    return {"pk": aim.world.cast.people[SOMEBODY_ELSE].pk}


def _item(aim: Aim) -> Parts:
    return {"pk": aim.side.item.pk}


def _key(aim: Aim) -> Parts:
    return {"key": aim.word}


def _move(aim: Aim) -> Parts:
    return {"move": aim.word} if aim.word else {}


def _merchant(aim: Aim) -> Parts:
    return {"pk": aim.shop.books.merchant.pk}


def _sold(aim: Aim) -> Parts:
    return {"pk": aim.shop.card.pk}


def _appeal(aim: Aim) -> Parts:
    return {"number": aim.desk.cases["lead"].number}


def _my_card(aim: Aim) -> Parts:
    return {"number": aim.shop.card.number}


def _my_operation(aim: Aim) -> Parts:
    return {"number": aim.shop.card.number, "operation": aim.shop.operation}


def _case(aim: Aim) -> Parts:
    return {"pk": aim.desk.cases["handling"].pk}


def _answered(aim: Aim) -> Parts:
    return {"pk": aim.desk.cases["replied"].pk}


ASKED_IN = {"sign": "dispatched", "dispatch": "registered", "register": "lead", "kind": "lead"}
"""In which state a case is, whose act is asked for; it is being handled where nothing is said."""


def _act(aim: Aim) -> Parts:
    return {"pk": aim.desk.cases[ASKED_IN.get(aim.word, "handling")].pk, "act": aim.word}


def _act_of(aim: Aim) -> Parts:
    inner = aim.world.desks[aim.about.partition("/")[0].partition("+")[2] or aim.whose]
    return {"pk": aim.desk.sitting.case_id, "act": aim.word, "of": inner.sitting.pk}


def _agreement(aim: Aim) -> Parts:
    case = aim.desk.cases["concluded"]
    return {"pk": case.pk, "of": case.mediations.get().agreement.pk}


def _number(aim: Aim) -> Parts:
    return {"number": "T1"}


def _short(aim: Aim) -> Parts:
    """A link made just now, as the page of the object would make it."""
    return {"token": "nonsense" if aim.word else links.token_of(StoredFile.objects.earliest("pk"))}


def _operation(aim: Aim) -> Parts:
    return {"operation": 1}


def _result(aim: Aim) -> Parts:
    """`own+partner`: the check of the other department that came along."""
    code = aim.side.partner if aim.word == "partner" else aim.inner.department
    return {
        "pk": aim.side.visits["under_way"].pk,
        "check_pk": aim.inner.visits["under_way"].checks.get(department__code=code).pk,
    }


CHANNEL_PAGES = [
    f"notices:{page}" for page in ("wish", "wish_test", "wish_remove", "channel", "channel_test", "channel_remove")
]
ADDRESSES: dict[str, Callable[[Aim], Parts]] = {
    "files:download": lambda aim: {"pk": aim.kept(aim.world.files)},
    "files:short": _short,
    **dict.fromkeys(CHANNEL_PAGES, lambda aim: {"kind": aim.word}),
    "imports:start": _key,
    "imports:template": _key,
    **dict.fromkeys(
        [f"imports:{step}" for step in ("detail", "columns", "sheet", "check", "apply", "refused", "abandon")], _batch
    ),
    "desk:ui_move": lambda aim: {"pk": 1, **_move(aim)},
    "jobs:detail": lambda aim: {"pk": aim.kept(aim.world.open_jobs)},
    "jobs:progress": lambda aim: {"pk": aim.kept(aim.world.open_jobs)},
    "jobs:cancel": lambda aim: {"pk": aim.kept(aim.world.open_jobs)},
    "jobs:retry": lambda aim: {"pk": aim.kept(aim.world.dead_jobs)},
    **dict.fromkeys(["ui:change_view", "ui:remove_view"], lambda aim: {"pk": aim.kept(aim.world.views)}),
    "notices:open": lambda aim: {"pk": aim.kept(aim.world.notices)},
    "access:person": _person,
    "access:appoint": _person,
    **dict.fromkeys(["access:phone", "access:handover"], _person),
    "access:account_act": lambda aim: {**_person(aim), **_move(aim)},
    "access:elevation_move": lambda aim: {"pk": aim.kept(aim.world.elevations), **_move(aim)},
    "access:elevation_detail": lambda aim: {"pk": aim.kept(aim.world.elevations)},
    "account_end_session": lambda aim: {"pk": aim.kept(aim.world.signed_in)},
    **dict.fromkeys(
        [f"openid_connect_{step}" for step in ("login", "callback")], lambda aim: {"provider_id": "district"}
    ),
    **dict.fromkeys([f"mfa_{act}_webauthn" for act in ("edit", "remove")], lambda aim: {"pk": 1}),
    "access:end": lambda aim: {"pk": aim.world.cast.actors[SOMEBODY_ELSE].membership_id},
    "audit:history": lambda aim: {"kind": "inspections.plan", "object_id": str(aim.side.filed.pk)},
    "calendar:version": lambda aim: {"pk": CalendarVersion.objects.earliest("pk").pk},
    **dict.fromkeys(
        [f"rules:{page}" for page in ("detail", "versions", "change", "confirm", "assign")], lambda aim: {"key": RULE}
    ),
    **dict.fromkeys(
        [f"privacy:{page}" for page in ("request", "copy", "erase", "close")], lambda aim: {"pk": aim.world.asked.pk}
    ),
    "privacy:open": lambda aim: {"kind": "prepaid.holder", "pk": aim.shop.card.holder_id},
    "rules:withdraw": lambda aim: {"pk": aim.world.rule_version.pk},
    "orgs:rename": lambda aim: {"pk": aim.world.cast["csgl"].pk},
    "orgs:officer": lambda aim: {"pk": aim.world.cast.officers[aim.side.department][1].pk},
    "orgs:pattern_end": lambda aim: {"pk": aim.side.pattern.pk},
    "orgs:absence_cancel": lambda aim: {"pk": aim.side.absence.pk},
    "registry:subject": _subject,
    "registry:subject_edit": _subject,
    "registry:joint_choice": _subject,
    "registry:premises_new": _subject,
    "registry:subject_move": lambda aim: {**_subject(aim), **_move(aim)},
    "registry:premises": lambda aim: {"pk": aim.world.door.pk},
    "registry:scene": _scene,
    "registry:scene_remove": _scene,
    "registry:match": lambda aim: {"pk": aim.side.pending.pk},
    "registry:match_move": lambda aim: {"pk": aim.side.pending.pk, **_move(aim)},
    "inspections:items_together": lambda aim: {"pk": aim.side.pair.pk},
    **dict.fromkeys([f"inspections:{page}" for page in ("item", "item_version", "item_end", "item_form")], _item),
    **dict.fromkeys(
        [
            f"inspections:{page}"
            for page in ("plan", "plan_edit", "plan_withdraw", "plan_rows", "row_new", "rows_remove")
        ],
        _draft,
    ),
    "inspections:row_edit": lambda aim: {**_draft(aim), "row_pk": aim.inner.draft.rows.get().pk},
    "inspections:draw": lambda aim: {"pk": aim.side.filed.pk, "draw_pk": aim.inner.draw.pk},
    "inspections:plan_move": lambda aim: {**_draft(aim), **_move(aim)},
    "inspections:check": _check,
    "inspections:check_move": _check,
    "inspections:checks_move": _move,
    **dict.fromkeys([f"inspections:{page}" for page in ("round", "round_visits", "round_leftovers")], _round),
    "inspections:round_move": lambda aim: {**_round(aim), **_move(aim)},
    **dict.fromkeys(
        [f"inspections:{page}" for page in ("visit", "visit_cancel", "visit_extend", "answer", "answer_confirm")],
        _offered,
    ),
    "inspections:visit_remove": lambda aim: {
        **_offered(aim),
        "part_pk": aim.inner.visits["offered"].participations.get(department__code=aim.inner.department).pk,
    },
    "inspections:answer_move": lambda aim: {**_offered(aim), **_move(aim)},
    "inspections:day": _under_way,
    "inspections:finish": _under_way,
    "inspections:recusal": _under_way,
    "inspections:result": _result,
    "inspections:round_way": _leftover,
    **dict.fromkeys([f"prepaid-api:{act}" for act in ("card", "entries", "top_up", "redeem", "refund")], _number),
    **dict.fromkeys(
        [
            f"prepaid:{page}"
            for page in (
                *("merchant", "issuing", "account_new", "guarantee_new", "tenancy_new"),
                *("guarantee_call", "fee_new", "journal", "reversal_new"),
            )
        ],
        _merchant,
    ),
    "prepaid:tenancy_end": lambda aim: {**_merchant(aim), "tenancy_pk": aim.shop.lease},
    **dict.fromkeys(
        [
            f"prepaid:card{act}"
            for act in ("", "_refund", "_transfer", "_lost", "_found", "_reissue", "_link", "_activate", "_exchange")
        ],
        _sold,
    ),
    "prepaid:reversal": lambda aim: {"pk": aim.shop.reversal.pk},
    "prepaid:reversal_move": lambda aim: {"pk": aim.shop.reversal.pk, **_move(aim)},
    "prepaid:release": lambda aim: {"pk": aim.shop.release.pk},
    "prepaid:release_move": lambda aim: {"pk": aim.shop.release.pk, **_move(aim)},
    "prepaid:difference": lambda aim: {"pk": aim.shop.difference.pk},
    "prepaid:dispute": lambda aim: {"pk": aim.shop.dispute.pk},
    "prepaid:key": lambda aim: {"pk": aim.shop.key.pk},
    "my_open": lambda aim: {"token": aim.shop.token if aim.whose == "own" else "guessed"},
    "my_card": _my_card,
    "my_statement": _my_card,
    "my_confirm": _my_operation,
    "my_dispute": _my_operation,
    "prepaid-api:void": _operation,
    "prepaid-api:reverse": _operation,
    "inspections:visit_notice": _recorded,
    "inspections:visit_record": _recorded,
    "complaints:case": _case,
    "complaints:person": _case,
    "complaints:callback": _answered,
    "complaints:callback_number": _answered,
    "complaints:callback_follow": _answered,
    "complaints:act": _act,
    "complaints:similar": _case,
    "complaints:adopt": lambda aim: {**_case(aim), "kind": aim.word},
    "complaints:join": lambda aim: {
        **_case(aim),
        "of": aim.world.desks[aim.about.partition("+")[2] or aim.whose].cases["lead"].pk,
    },
    **dict.fromkeys(
        ["complaints:topic", "complaints:topic_check"], lambda aim: {"pk": aim.world.desks["own"].topic.pk}
    ),
    "complaints:topic_move": lambda aim: {"pk": aim.world.desks["own"].topic.pk, **_move(aim)},
    "complaints:act_of": _act_of,
    "complaints:agreement": _agreement,
    "complaints:mall_request": lambda aim: {"pk": aim.desk.asked.pk},
    **dict.fromkeys(["complaints:dispatch_together", "complaints:reply_together"], lambda aim: {}),
    **dict.fromkeys(
        ["complaints:template", "complaints:template_retire"],
        lambda aim: {"pk": ReplyTemplate.objects.filter(is_active=True).earliest("pk").pk},
    ),
    "complaints:key": lambda aim: {"pk": aim.world.desks["own"].key.pk},
    "appeals:review": lambda aim: {"token": "draft-of-another-browser"},
    "appeals:open": lambda aim: {
        **_appeal(aim),
        "code": code_of(aim.desk.cases["lead"]) if aim.whose == "own" else "guessed",
    },
    **dict.fromkeys(
        [f"appeals:{page}" for page in ("progress", "receipt", "add", "withdraw", "rate")], lambda aim: _appeal(aim)
    ),
    "complaints:mail": lambda aim: {"pk": aim.world.desks["own"].mail.pk},
    **dict.fromkeys([f"open311:{page}" for page in ("discovery", "services", "requests")], lambda aim: {"fmt": ""}),
    "open311:service": lambda aim: {"code": "prepaid", "fmt": "json"},
    "open311:request": lambda aim: {"number": aim.world.desks["own"].published.number, "fmt": ""},
    "open311:token": lambda aim: {"token": "guessed", "fmt": "xml"},
}


def _selected(aim: Aim) -> Parts:
    return {"selected": [_check(aim)["pk"]], "reason": "演示理由"}


def _why(aim: Aim) -> Parts:
    return {"reason": "演示理由"}


BODIES: dict[str, Callable[[Aim], Parts]] = {
    "complaints:mall_request": lambda aim: {"answer": "演示回应"},
    "complaints:person": lambda aim: {"purpose": "演示核实"},
    "complaints:topic_move": _why,
    "complaints:dispatch_together": lambda aim: {
        "selected": [aim.desk.cases["registered"].pk],
        **({"unit": aim.world.cast["xfjy"].pk} if aim.word == "go" else {}),
    },
    "complaints:reply_together": lambda aim: {"selected": [aim.desk.cases["concluded"].pk]},
    "set_language": lambda aim: {"language": "en"},
    "imports:sheet": lambda aim: {"sheet": "Sheet"},
    "ui:save_view": lambda aim: {"path": "/desk/tasks/", "title": "任务", "name": "另一个", "query": "q=1"},
    "ui:change_view": lambda aim: {"name": "改过的"},
    "notices:read": lambda aim: {"selected": [aim.kept(aim.world.notices)]},
    "access:switch": lambda aim: {
        "membership": aim.world.cast.actors[aim.person if aim.whose == "own" else SOMEBODY_ELSE].membership_id
        if aim.person in aim.world.cast.actors
        else 1
    },
    "access:open_account": lambda aim: {
        "username": "newcomer",
        "display_name": "演示新人",
        "password": "Xiezhi-2026-demo",
    },
    "access:appoint": lambda aim: {
        "organisation": aim.world.cast["csgl"].pk,
        "role": "head",
        "starts_on": TODAY,
    },
    "access:end": lambda aim: {"ends_on": TODAY},
    "access:phone": lambda aim: {"number": "19900008888"},
    "access:account_act": _why,
    "access:handover": lambda aim: {
        "to": aim.world.cast.actors["csgl.head"].membership_id,
        "last_day": TODAY,
        **_why(aim),
    },
    "orgs:rename": lambda aim: {"name": "演示区城市管理局", "short_name": "城市管理", "qualified": "on"},
    "orgs:pattern_end": lambda aim: {"ends_on": (LATER + timedelta(days=60)).isoformat()},
    "registry:label": lambda aim: {
        "selected": [aim.world.door.subject_id],
        "scene": aim.world.scene.pk,
        "carried": "1",
    },
    "registry:joint_choice": lambda aim: {"opted_out": "1", **_why(aim)},
    "registry:subject_move": _why,
    "registry:match_move": lambda aim: {"premises": aim.world.door.pk, **_why(aim)},
    "inspections:item_end": lambda aim: {"last_day": (LATER + timedelta(days=90)).isoformat()},
    "inspections:plan_withdraw": _why,
    "inspections:rows_remove": lambda aim: {"selected": [aim.inner.draft.rows.get().pk]},
    "inspections:check_move": _why,
    "inspections:checks_move": _selected,
    "inspections:round_move": _why,
    "inspections:visit_cancel": _why,
    "inspections:visit_extend": lambda aim: {"answer_by": f"{LATER - timedelta(days=4)} 17:00", **_why(aim)},
    "inspections:visit_remove": _why,
    "inspections:answers_confirm": lambda aim: {
        "selected": [aim.side.visits["offered"].participations.get(department__code=aim.side.department).pk]
    },
    "inspections:answer_move": lambda aim: {"decline-decline_reason": "busy"},
    "prepaid:issuing": _why,
    "prepaid:release_move": _why,
    "prepaid:reversal_move": _why,
    "prepaid:reversal_new": lambda aim: {"operation": aim.shop.operation, "reason": "演示冲正"},
    **dict.fromkeys(
        ["prepaid:fee_new", "prepaid:guarantee_call"],
        lambda aim: {"account": aim.shop.books.account.pk, "amount_fen": "1", "reference": "PZ-77"},
    ),
    "prepaid:refund_pay": lambda aim: {"amount_fen": "1", "reference": "PZ-77"},
    "prepaid:tenancy_end": lambda aim: {"ends_on": TODAY},
    "prepaid:products_withdraw": lambda aim: {"selected": [aim.shop.card.product_id]},
    "prepaid:deliveries_retry": lambda aim: {"selected": [aim.shop.delivery]},
    **dict.fromkeys(["prepaid:card_activate", "prepaid:card_exchange"], lambda aim: {"sure": "on", "key": "matrix"}),
    "prepaid:difference": lambda aim: {"note": "演示说明"},
    "prepaid:dispute": lambda aim: {"answer": "演示答复"},
    "prepaid:guarantee_new": lambda aim: {"amount_fen": "100", "reference": "演示保函"},
    "prepaid:account_new": lambda aim: {"bank": aim.shop.books.bank.pk, "number": "62000000009999"},
    "prepaid:card_refund": lambda aim: {"key": "matrix-refund", "amount_fen": "1"},
    "prepaid:card_transfer": lambda aim: {"key": "matrix-transfer", "phone": "19900009999"},
    "prepaid:tenancy_new": lambda aim: {
        "mall": aim.world.cast.actors["mall"].organisation_id,
        "unit": "演示-2",
        "starts_on": TODAY,
    },
    "prepaid:product_new": lambda aim: {"code": "MATRIX", "name": "演示卡", "kind": "stored", "named": "on"},
    "prepaid:key_new": lambda aim: {"label": "演示", "scopes": ["read"]},
    "till": lambda aim: {
        "act": "redeem",
        "r-key": "matrix-redeem",
        "r-number": aim.shop.card.number,
        "r-amount_fen": "1",
    },
    "my_dispute": lambda aim: {"words": "演示异议"},
    "complaints:key_new": lambda aim: {"label": "演示应用"},
    "complaints:mail": lambda aim: {"act": aim.word or "open", "note": "演示处理"},
    "appeals:new": lambda aim: {"kind": "consultation", "description": "演示咨询", "act": "review"},
    "appeals:add": lambda aim: {"text": "演示补充"},
    "appeals:withdraw": lambda aim: {"reason": "演示撤回"},
    "inspections:result": lambda aim: {"act": "draft"},
    "inspections:recusal": lambda aim: {
        "officer": aim.world.cast.officers[aim.side.department][2].pk,
        **_why(aim),
    },
}
