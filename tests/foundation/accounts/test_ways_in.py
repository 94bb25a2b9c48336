"""Passwords, second factors, telephone codes, the district's directory: what lets people in, and what does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.builders.cast import NOW, PASSWORD, Cast, make_cast
from tests.support.directory import CLIENT, SECRET, Directory, directory
from xiezhi.config import environment
from xiezhi.foundation.access.actors import PermissionRefused
from xiezhi.foundation.access.factors import has_factor
from xiezhi.foundation.accounts import lockout, services
from xiezhi.foundation.accounts.devices import device, masked_address
from xiezhi.foundation.accounts.models import AccountAct, User
from xiezhi.foundation.accounts.phones import normal
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.notices.models import Notice
from xiezhi.foundation.workflow.errors import Refused

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
SECRET_CODE = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WHO = "scjg.head"


@pytest.fixture
def cast() -> Cast:
    return make_cast(with_password={WHO, "administrator"})


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


def log_in(client: Client, name: str = WHO, password: str = PASSWORD) -> Any:
    return client.post(LOGIN, {"login": name, "password": password})


def code_at(moment: Any) -> str:
    return format_hotp_value(hotp_value(SECRET_CODE, int(moment.timestamp()) // 30))


def is_in(client: Client) -> bool:
    return bool(client.get("/desk/").status_code == 200)


class TestLock:
    def test_five_wrong_passwords_lock_and_an_administrator_unlocks(
        self, cast: Cast, client: Client, clock: Any
    ) -> None:
        person, admin = cast.people[WHO], cast.actor("administrator")
        with pytest.raises(Refused):
            services.unlock(user=person, reason="没有锁", actor=admin, at=NOW)
        for _attempt in range(5):
            assert "登录名或密码不对" in log_in(client, password="wrong").content.decode()
        locked = log_in(client).content.decode()
        assert "登录已锁定到 2026-11-23 09:15" in locked, "the right password is not even looked at"
        assert not is_in(client)
        assert "登录已锁定到" in log_in(Client(REMOTE_ADDR="10.0.0.9")).content.decode(), "from anywhere"
        assert Entry.objects.filter(action="accounts.locked", object_id=str(person.pk)).count() == 1
        assert Notice.objects.filter(recipient=person, level="urgent").count() == 1
        with pytest.raises(PermissionRefused):
            services.unlock(user=person, reason="我是同事", actor=cast.actor("coordinator"), at=NOW)
        services.unlock(user=person, reason="本人来电，已核实", actor=admin, at=NOW)
        lockout.forget(person)  # what the commit does
        assert log_in(client).status_code == 302 and is_in(client)
        entry = Entry.objects.get(action="accounts.unlocked")
        assert "本人来电" not in str(entry.payload), "the reason stays out of the audit"
        assert AccountAct.objects.get(kind="unlocked").reason == "本人来电，已核实"

    def test_it_lapses_by_itself_and_tells_nobody_who_has_an_account(
        self, cast: Cast, client: Client, clock: Any
    ) -> None:
        for _attempt in range(5):
            log_in(client, password="wrong")
            log_in(client, name="nobody.here", password="wrong")
        for name in (WHO, "nobody.here"):
            assert "登录已锁定到 2026-11-23 09:15" in log_in(client, name=name).content.decode()
        clock.move_to(NOW + timedelta(minutes=15, seconds=1))
        assert log_in(client).status_code == 302 and is_in(client)


class TestSecondFactor:
    def test_codes_work_once_and_only_near_their_time(self, cast: Cast, client: Client, clock: Any) -> None:
        person = cast.people[WHO]
        TOTP.activate(person, SECRET_CODE)
        assert SECRET_CODE not in str(Authenticator.objects.get().data), "the secret is encrypted"
        page = reverse("mfa_authenticate")
        assert log_in(client)["Location"] == page and not is_in(client)
        for wrong in (code_at(NOW - timedelta(days=1)), code_at(NOW + timedelta(days=1))):
            said = client.post(page, {"code": wrong}).content.decode()
            assert "核对手机时间" in said and "服务器时间" in said
        assert client.post(page, {"code": code_at(NOW - timedelta(seconds=30))}).status_code == 302 and is_in(client)
        again = Client()
        log_in(again)
        replayed = again.post(page, {"code": code_at(NOW - timedelta(seconds=30))})
        assert "同一个码只能用一次" in replayed.content.decode() and not is_in(again)

    def test_wrong_codes_lock_too(self, cast: Cast, client: Client, clock: Any) -> None:
        TOTP.activate(cast.people[WHO], SECRET_CODE)
        log_in(client)
        for _attempt in range(5):
            client.post(reverse("mfa_authenticate"), {"code": "000000"})
        said = client.post(reverse("mfa_authenticate"), {"code": code_at(NOW)}).content.decode()
        assert "登录已锁定到 2026-11-23 09:15" in said and not is_in(client)

    def test_an_administrator_is_led_to_it_first(self, cast: Cast, client: Client, clock: Any, settings: Any) -> None:
        settings.SECOND_FACTOR = "administrators"
        assert log_in(client, "administrator").status_code == 302
        for address in ("/desk/", reverse("access:people"), reverse("access:switch")):
            assert client.get(address)["Location"] == reverse("mfa_index"), address
        assert client.post(reverse("access:open_account"), {"username": "x"})["Location"] == reverse("mfa_index")
        assert "先设置二次验证" in client.get(reverse("mfa_index")).content.decode()
        setting_up = client.get(reverse("mfa_activate_totp")).content.decode()
        secret = re.search(r"<code[^>]*>([A-Z2-7]+)</code>", setting_up)
        assert secret and 'src="data:image/svg+xml;base64,' in setting_up
        code = format_hotp_value(hotp_value(secret[1], int(NOW.timestamp()) // 30))
        done = client.post(reverse("mfa_activate_totp"), {"code": code}, follow=True)
        codes = re.findall(r"<li><code>(\d{8})</code></li>", done.content.decode())
        assert len(codes) == 10 and is_in(client)
        refused = client.post(reverse("mfa_deactivate_totp"))
        assert "必须有二次验证" in refused.content.decode() and has_factor(cast.people["administrator"])
        other = Client()
        log_in(other, "administrator")
        assert other.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == 302 and is_in(other)
        third = Client()
        log_in(third, "administrator")
        used = third.post(reverse("mfa_authenticate"), {"code": codes[0]})
        assert used.status_code == 200 and not is_in(third), "a recovery code works once"
        assert log_in(Client(), WHO)["Location"] == "/desk/", "others are not asked"

    def test_somebody_elses_key_is_not_there(self, cast: Cast, client: Client, clock: Any) -> None:
        key = Authenticator.objects.create(user=cast.people["administrator"], type="webauthn", data={"name": "演示"})
        log_in(client)
        for page in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
            assert client.get(reverse(page, args=[key.pk])).status_code == 404
            assert client.post(reverse(page, args=[key.pk]), {"name": "x"}).status_code == 404
        assert Authenticator.objects.count() == 1

    def test_a_lost_telephone(self, cast: Cast, client: Client, clock: Any) -> None:
        person, admin = cast.people[WHO], cast.actor("administrator")
        log_in(client)
        TOTP.activate(person, SECRET_CODE)
        assert services.reset_factor(user=person, reason="手机丢失", actor=admin, at=NOW) == 1
        assert not has_factor(person) and not is_in(client)
        with pytest.raises(Refused, match="没有设置"):
            services.reset_factor(user=person, reason="再来", actor=admin, at=NOW)
        with pytest.raises(Refused, match="自己"):
            services.reset_factor(user=cast.people["administrator"], reason="我", actor=admin, at=NOW)

    def test_the_only_administrator_is_rescued_from_the_machine(self, cast: Cast, client: Client, clock: Any) -> None:
        admin = cast.people["administrator"]
        TOTP.activate(admin, SECRET_CODE)
        with pytest.raises(PermissionRefused):
            services.rescue(user=admin, reason="手机丢失", actor=cast.actor("administrator"), at=NOW)
        out = StringIO()
        call_command("rescue", "administrator", reason="唯一的管理员手机丢失", stdout=out)
        log_in(client, "administrator", out.getvalue().split(": ")[1].strip())
        assert not has_factor(admin) and client.get("/desk/").url.startswith("/accounts/password/change/")
        kinds = set(AccountAct.objects.filter(user=admin).values_list("kind", flat=True))
        assert kinds == {AccountAct.Kind.FACTOR_RESET, AccountAct.Kind.PASSWORD_ISSUED}


class TestTemporaryPassword:
    def test_shown_once_must_be_changed_and_lapses(self, cast: Cast, client: Client, clock: Any) -> None:
        person, admin = cast.people[WHO], Client()
        log_in(client)
        log_in(admin, "administrator")
        page = reverse("access:account_act", args=[person.pk, "password"])
        assert admin.post(page, {"reason": ""}).status_code == 422
        shown = admin.post(page, {"reason": "忘记密码"})
        password = re.search(r"<code[^>]*>([a-z2-9-]{19})</code>", shown.content.decode())
        assert password and "no-store" in shown["Cache-Control"]
        assert not is_in(client), "signed out where the old password had signed in"
        assert "不对" in log_in(Client()).content.decode()
        assert log_in(client, password=password[1]).status_code == 302
        change = reverse("account_change_password")
        assert client.get("/desk/")["Location"] == change and client.get(change).status_code == 200
        chosen = {"oldpassword": password[1], "password1": "Yinhuai-7-bridges", "password2": "Yinhuai-7-bridges"}
        client.post(change, chosen)
        assert is_in(client) and User.objects.get(pk=person.pk).password_expires_at is None
        late = services.issue_password(user=person, reason="又忘了", actor=cast.actor("administrator"), at=NOW)
        clock.move_to(NOW + timedelta(hours=24))
        assert "临时密码已过期" in log_in(Client(), password=late).content.decode()


class TestSessions:
    def test_a_person_sees_and_ends_their_own(self, cast: Cast, clock: Any) -> None:
        here = Client(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Edg/140.0", REMOTE_ADDR="10.1.2.3")
        phone = Client(HTTP_USER_AGENT="Mozilla/5.0 (Linux; Android 15) MicroMessenger/8.0", REMOTE_ADDR="59.64.7.8")
        stranger = Client()
        for each, name in ((here, WHO), (phone, WHO), (stranger, "administrator")):
            assert log_in(each, name).status_code == 302
        text = here.get(reverse("usersessions_list")).content.decode()
        assert "Edge · Windows" in text and "微信 · Android" in text and "59.64.*.*" in text and "59.64.7.8" not in text
        theirs = UserSession.objects.get(user=cast.people["administrator"])
        assert here.post(reverse("account_end_session", args=[theirs.pk])).status_code == 404
        other = UserSession.objects.get(ip="59.64.7.8")
        clock.move_to(NOW + timedelta(minutes=6))
        assert is_in(phone)
        other.refresh_from_db()
        assert other.last_seen_at == NOW + timedelta(minutes=6)
        here.post(reverse("account_end_session", args=[other.pk]))
        assert is_in(here) and not is_in(phone) and is_in(stranger)
        services.end_sessions(user=cast.people[WHO], reason="演示", actor=cast.actor("administrator"), at=NOW)
        assert not is_in(here) and is_in(stranger)

    def test_they_end_without_use(self, cast: Cast, client: Client, clock: Any) -> None:
        log_in(client)
        clock.move_to(NOW + timedelta(hours=11))
        assert is_in(client)
        clock.move_to(NOW + timedelta(hours=22))
        assert is_in(client), "use moves the end"
        clock.move_to(NOW + timedelta(hours=35))
        assert not is_in(client)

    def test_words(self) -> None:
        assert device("") == "未知设备" and masked_address("2409:8a00::1") == "2409:8a00:*"
        assert masked_address("127.0.0.1") == "本机" and masked_address("192.168.1.7") == "192.168.*.*（内网）"


@pytest.fixture
def outside(settings: Any) -> Iterator[Directory]:
    with directory() as told:
        settings.NOTICE_CHANNELS = {"sms": f"json://{told.issuer.removeprefix('http://')}/sms?:phone={{to}}"}
        yield told


class TestTelephone:
    ASK, ANSWER = "/accounts/code/", "/accounts/code/confirm/"

    @staticmethod
    def sent(outside: Directory) -> str:
        found = re.search(r"\b(\d{6})\b", outside.texts[-1].encode().decode("unicode_escape"))
        assert found, outside.texts
        return found[1]

    def test_a_code_signs_in_once(self, cast: Cast, client: Client, outside: Directory, clock: Any) -> None:
        person, admin = cast.people[WHO], cast.actor("administrator")
        services.set_phone(user=person, number="+86 199 0000 1234", actor=admin, at=NOW)
        with pytest.raises(Refused, match="另一个账号"):
            services.set_phone(user=cast.people["coordinator"], number="19900001234", actor=admin, at=NOW)
        row = User.objects.filter(pk=person.pk).values().get()
        assert "19900001234" not in str(row) and row["phone_tail"] == "1234", "the number itself is not kept"
        page = client.post(self.ASK, {"phone": "199-0000-1234"}, follow=True).content.decode()
        assert "<script" not in page.split("<form class")[1].split("</form>")[0], "works without script"
        code = self.sent(outside)
        assert "199****1234" in page and code not in page
        assert client.post(self.ANSWER, {"code": "000000"}).status_code == 200
        assert client.post(self.ANSWER, {"code": code}).status_code == 302 and is_in(client)
        person.refresh_from_db()
        assert person.phone_verified_at == NOW
        replay = Client()
        said = replay.post(self.ANSWER, {"code": code}, follow=True).content.decode()
        assert "验证码已过期，或者已经用过" in said and not is_in(replay)

    def test_expired_guessed_and_too_many(self, cast: Cast, client: Client, outside: Directory, clock: Any) -> None:
        services.set_phone(user=cast.people[WHO], number="19900001234", actor=cast.actor("administrator"), at=NOW)
        client.post(self.ASK, {"phone": "19900001234"})
        code = self.sent(outside)
        clock.move_to(NOW + timedelta(seconds=301))
        said = client.post(self.ANSWER, {"code": code}, follow=True).content.decode()
        assert "验证码已过期" in said and not is_in(client)
        client.post(self.ASK, {"phone": "19900001234"})
        code = self.sent(outside)
        for _attempt in range(3):
            client.post(self.ANSWER, {"code": "000000"})
        assert client.post(self.ANSWER, {"code": code}, follow=True).redirect_chain and not is_in(client)
        texts = len(outside.texts)
        again = client.post(self.ASK, {"phone": "19900001234"}).content.decode()
        assert "试得太" in again and len(outside.texts) == texts, "one text a minute"

    def test_unknown_numbers(self, cast: Cast, client: Client, outside: Directory, clock: Any, settings: Any) -> None:
        people = User.objects.count()
        client.post(self.ASK, {"phone": "19900009999"})
        assert User.objects.count() == people and "没有登记" in outside.texts[-1].encode().decode("unicode_escape")
        settings.PHONE_SIGNUP = True
        clock.move_to(NOW + timedelta(minutes=2))
        client = Client()
        client.post(self.ASK, {"phone": "19900009999"})
        assert client.post(self.ANSWER, {"code": self.sent(outside)})["Location"] == reverse("my_cards")
        newcomer = User.objects.latest("pk")
        assert not newcomer.has_usable_password() and not newcomer.memberships.exists()
        assert client.get("/desk/").status_code == 403
        Client().post(self.ASK, {"phone": "19900007777"})
        assert User.objects.count() == people + 2
        assert services.tidy(at=NOW + timedelta(days=2)) == 1, "who never answers leaves no account"
        assert User.objects.filter(pk=newcomer.pk).exists()

    def test_without_a_gateway_it_says_so(self, cast: Cast, client: Client, settings: Any) -> None:
        settings.NOTICE_CHANNELS = {}
        assert "还没有配置短信" in client.get(self.ASK).content.decode()
        assert "还没有配置短信" in client.post(self.ASK, {"phone": "19900001234"}).content.decode()

    @pytest.mark.parametrize("number", ["123", "29900001234", "199000012345", "abc", "１９９０"])
    def test_what_is_no_number(self, number: str) -> None:
        with pytest.raises(Refused, match="11 位手机号"):
            normal(number)


class TestDirectory:
    PAGE = "/accounts/directory/district/login/"

    @pytest.fixture(autouse=True)
    def configured(self, outside: Directory, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XIEZHI_OIDC_CLIENT_ID", CLIENT)
        monkeypatch.setenv("XIEZHI_OIDC_CLIENT_SECRET", SECRET)
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": environment.directory(outside.issuer)}

    def arrive(self, client: Client, outside: Directory, **says: Any) -> Any:
        outside.says = {"sub": "s-1", "preferred_username": WHO, "name": "演示负责人", **says}
        there = client.post(self.PAGE)["Location"]
        return client.get(outside.grant(there), follow=True)

    def test_an_account_is_found_by_login_name_and_bound(self, cast: Cast, client: Client, outside: Directory) -> None:
        assert "统一身份认证" in client.get(LOGIN).content.decode()
        assert client.get(self.PAGE).status_code == 200, "a link alone signs nobody in"
        self.arrive(client, outside)
        assert is_in(client) and client.get("/desk/").wsgi_request.user == cast.people[WHO]
        renamed = Client()
        self.arrive(renamed, outside, preferred_username="something.else")
        assert is_in(renamed), "afterwards the directory's own number decides"
        other = Client()
        said = self.arrive(other, outside, sub="s-2").content.decode()
        assert "没有对应的账号" in said and not is_in(other), "nobody else gets at a bound account"

    def test_who_is_turned_back(self, cast: Cast, client: Client, outside: Directory, settings: Any) -> None:
        people = User.objects.count()
        said = self.arrive(client, outside, preferred_username="unknown.person").content.decode()
        assert "没有对应的账号" in said and User.objects.count() == people
        for spoiled in ({"aud": "another"}, {"iss": "http://127.0.0.1:1"}, {"exp": 1}):
            outside.spoil = spoiled
            assert "没有通过统一身份认证" in self.arrive(client, outside).content.decode(), spoiled
        outside.spoil = {}
        there = client.post(self.PAGE)["Location"]
        back = outside.grant(there)
        assert "没有通过统一身份认证" in Client().get(back).content.decode(), (
            "the answer belongs to the browser that asked"
        )
        refused = client.get(back.partition("?")[0] + "?error=access_denied&state=x", follow=True).content.decode()
        assert "没有通过" in refused and not is_in(client)
        settings.OIDC_OPENS_ACCOUNTS = True
        self.arrive(client, outside, sub="s-9", preferred_username="unknown.person")
        assert User.objects.get(username="unknown.person").memberships.count() == 0

    def test_its_second_factor_is_ours_too(self, cast: Cast, client: Client, outside: Directory) -> None:
        TOTP.activate(cast.people[WHO], SECRET_CODE)
        assert "二次验证" in self.arrive(client, outside).content.decode() and not is_in(client)


@pytest.mark.parametrize("issuer", ["directory.example.cn", "http://directory.example.cn"])
def test_a_directory_is_asked_over_https(issuer: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        environment.directory(issuer)


def test_cookies_headers_and_limits(cast: Cast, client: Client, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True  # as XIEZHI_HTTPS=1 sets them
    page = client.get(LOGIN)
    policy = page["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page["X-Frame-Options"] == "DENY" and page["X-Content-Type-Options"] == "nosniff"
    assert page["Referrer-Policy"] == "same-origin"
    answer = log_in(client)
    for name in ("sessionid", "csrftoken"):
        cookie = answer.cookies[name]
        assert cookie["httponly"] and cookie["secure"] and cookie["samesite"] == "Lax", name
    limit = int(settings.ACCOUNT_RATE_LIMITS["login"].partition("/")[0])
    crowd = Client(REMOTE_ADDR="10.9.9.9")
    answers = {crowd.post(LOGIN, {}).status_code for _attempt in range(limit)}
    assert answers == {200} and crowd.post(LOGIN, {}).status_code == 429
