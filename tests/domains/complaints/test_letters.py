"""Mails: read whatever the charset, answered once, kept when they cannot be taken in."""

import base64
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tests.builders.cast import NOW
from tests.builders.complaints import Desk
from tests.support.mailbox import mail_box
from tests.support.receiver import listening
from xiezhi.domains.complaints.letters import as_text, read_letter
from xiezhi.domains.complaints.models import Attachment, Case, ComplaintParty, Mail
from xiezhi.domains.complaints.services import inbox, public

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def letter(
    text: str = "演示：健身房关门，求退款 🙏", *, number: int = 1, subject: str = "投诉演示健身", **headers: str
) -> bytes:
    mail = EmailMessage()
    for name, value in {
        "From": "演示张某 <zhang@example.cn>",
        "Subject": subject,
        "Message-ID": f"<{number}@example.cn>",
        **headers,
    }.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="小票.png")
    mail.add_attachment(b"MZ not for us", maintype="application", subtype="octet-stream", filename="a.exe")
    return mail.as_bytes()


def test_reading_what_real_mail_programs_write() -> None:
    raw = "From: 王某 <wang@example.cn>\r\nSubject: 举报假货\r\n".encode("gb18030")
    raw += (
        b"Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + "店里卖假货，镕字".encode("gb18030")
    )
    found = read_letter(raw)
    assert (found.sender, found.sender_name, found.subject, found.text) == (
        "wang@example.cn", "王某", "举报假货", "店里卖假货，镕字",
    )  # fmt: skip
    html = read_letter(
        b"From: a@b.cn\r\nContent-Type: text/html; charset=no-such\r\n\r\n"
        + "<p>一</p><script>x()</script><p>二&lt;b&gt;".encode()
    )
    assert html.text == "一\n\n二<b>"
    assert as_text("<style>p{}</style><ul><li>甲<li>乙</ul>") == "甲\n乙"
    assert read_letter(b"\0\xff garbage").sender == ""
    assert read_letter(b"From: a@b.cn\r\nAuto-Submitted: auto-replied\r\n\r\n.").automatic == "自动回复"
    assert read_letter(b"From: MAILER-DAEMON@b.cn\r\n\r\n.").automatic
    assert (
        read_letter(
            b"From: a@b.cn\r\nSubject: =?gb2312?B?!!?=\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--x"
        ).sender
        == "a@b.cn"
    )


@pytest.mark.django_db
def test_a_mail_is_one_lead_its_files_kept_and_its_answer_an_addition(desk: Desk, client: Client) -> None:
    mail = inbox.take_letter(raw=letter(), at=NOW)
    assert inbox.take_letter(raw=letter(), at=NOW) == mail
    case = Case.objects.get()
    assert (case.status, case.channel, case.kind, case.title) == ("lead", "email", "complaint", "投诉演示健身")
    assert ComplaintParty.objects.get().email == "zhang@example.cn"
    assert [each.title for each in Attachment.objects.all()] == ["小票.png"]
    told = client.get(public.path_to(case), follow=True).content.decode()
    assert "a.exe" in told and "没有接收" in told
    again = inbox.take_letter(raw=letter("又来电话", number=2, subject=f"回复：{case.number}"), at=NOW)
    assert (again.status, again.case) == ("added", case)
    stranger = inbox.take_letter(raw=letter("补充", number=3, subject=case.number).replace(b"zhang@", b"li@"), at=NOW)
    assert stranger.case != case
    report = inbox.take_letter(raw=letter("我要举报无证餐馆", number=4, subject="线索"), at=NOW)
    assert report.case and report.case.kind == "report"
    assert inbox.take_letter(raw=letter(number=5, Auto_Submitted="auto-replied"), at=NOW).status == "ignored"


@pytest.mark.django_db
def test_what_cannot_be_taken_in_waits_for_people_with_its_reason(
    desk: Desk, client: Client, tmp_path: Path, capsys: Any
) -> None:
    raw = b"From: zhang@example.cn\r\nSubject: 13800138000\r\n\r\n" + "字".encode() * 100_001
    (tmp_path / "long.eml").write_bytes(raw)
    call_command("inbox", tmp_path / "long.eml")
    mail = Mail.objects.get()
    assert mail.status == "aside" and "100,001" in mail.reason and inbox.raw_of(mail) == raw
    assert not Case.objects.exists()
    client.force_login(desk.cast.people["dispatcher"])
    assert "z***@example.cn" in (shown := client.get("/desk/complaints/mail/").content.decode()) and "100,001" in shown
    page = f"/desk/complaints/mail/{mail.pk}/"
    assert "138****8000" in client.get(page).content.decode()
    assert client.post(page, {"act": "open"}).content == raw
    assert client.post(page, {"act": "retry"}).status_code == 303
    assert client.post(page, {"act": "done", "note": ""}).status_code == 422
    assert client.post(page, {"act": "done", "note": "已电话联系"}).status_code == 302
    assert Mail.objects.get().status == "done"


@pytest.mark.django_db
def test_a_real_mail_server_is_asked_and_the_sender_answered_once(desk: Desk, settings: Any) -> None:
    with mail_box() as box, listening() as gate:
        settings.COMPLAINTS_INBOX = box.told
        settings.SITE_URL = "https://xz.example.cn"
        box.put(letter(), b"From: x@example.cn\r\n\r\n")
        inbox.ask_box(at=NOW)  # no mail channel yet: the answer waits
        case = Case.objects.get()
        assert Mail.objects.get(case=case).note and not box.unread()
        assert Mail.objects.get(status="aside").reason == "信里没有正文，也没有附件。"
        settings.NOTICE_CHANNELS = {**settings.NOTICE_CHANNELS, "mail": gate.address(query=":to={to}")}
        inbox.ask_box(at=NOW + timedelta(hours=1))
        inbox.ask_box(at=NOW + timedelta(hours=2))
        (said,) = gate.received
    assert said["to"] == "zhang@example.cn" and case.number in said["title"]
    assert f"https://xz.example.cn{public.path_to(case)}" in said["message"] and "a.exe" in said["message"]
    assert inbox.inbox_state() == {"at": NOW + timedelta(hours=2), "error": ""}
    with pytest.raises(OSError):
        inbox.poll_inbox(at=NOW)  # the server is gone
    assert "连不上" in str(inbox.inbox_state())
