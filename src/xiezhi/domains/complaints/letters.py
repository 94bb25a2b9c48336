"""Reading one mail (来信) as the bytes it came in: who, what, with which files, and whether a machine wrote it. Pure; never raises for odd mails.

Charsets are as declared where that works (GB2312 and GBK are read as GB18030, which holds both), else UTF-8, else GB18030.
"""

import email
import hashlib
import re
from dataclasses import dataclass
from email.header import decode_header
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from email.utils import parseaddr
from html.parser import HTMLParser

from xiezhi.domains.complaints.texts import clean

SIMPLIFIED = {"gb2312", "gbk", "gb_2312-80", "x-gbk", "cp936", "euc-cn", "hz-gb-2312"}
HIDDEN = {"script", "style", "head", "title", "template", "noscript"}
BLOCKS = {"p", "div", "br", "tr", "li", "table", "ul", "ol", "h1", "h2", "h3", "h4", "blockquote", "hr"}
MACHINES = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounce)\b", re.I)
NUMBER = re.compile(r"S\d{4}-\d{6}")


@dataclass(frozen=True)
class Enclosure:
    """A file that came with a mail."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """A mail as people read it. `automatic`: why no person wrote it, empty for people's. `number`: the case that its subject names."""

    mark: str
    sender: str
    sender_name: str
    subject: str
    text: str
    enclosures: tuple[Enclosure, ...]
    automatic: str
    number: str


def mark_of(raw: bytes) -> str:
    """What makes a mail the same: its Message-ID, or its bytes where it has none."""
    found = re.search(rb"(?im)^message-id:\s*(<[^>\r\n]{3,250}>)", raw[:65_536].partition(b"\r\n\r\n")[0])
    return hashlib.sha256(b"id:" + found[1] if found else raw).hexdigest()


def read_letter(raw: bytes) -> Letter:
    """Read a mail. What is unreadable in it comes out as text with marks in place of what is lost."""
    message = email.message_from_bytes(raw, policy=EmailPolicy(raise_on_defect=False))
    assert isinstance(message, EmailMessage)
    name, address = parseaddr(_header(message, "From"))
    subject = clean(_header(message, "Subject")).replace("\n", " ")
    text, files = _parts(message)
    number = NUMBER.search(subject)
    return Letter(
        mark_of(raw),
        clean(address)[:120] if "@" in address else "",
        clean(name)[:60],
        subject[:300],
        clean(text),
        tuple(files),
        _automatic(message, address),
        number[0] if number else "",
    )


def _header(message: Message, name: str) -> str:
    """A header in words. Bytes that nobody encoded are taken for UTF-8 or GB18030."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    text = " ".join(str(raw).split())
    if any("\udc80" <= sign <= "\udcff" for sign in text):
        return decoded(text.encode("utf-8", "surrogateescape"), "")
    try:
        pieces = decode_header(text)
    except ValueError:  # a broken encoded word
        return text
    return "".join(piece if isinstance(piece, str) else decoded(piece, charset or "") for piece, charset in pieces)


def decoded(content: bytes, charset: str) -> str:
    """Bytes as text."""
    declared = "gb18030" if charset.lower() in SIMPLIFIED else charset
    for name in (declared, "utf-8", "gb18030"):
        try:
            return content.decode(name) if name else content.decode("ascii")
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("utf-8", "replace")


def _parts(message: Message) -> tuple[str, list[Enclosure]]:
    """The text (HTML only where there is no plain one) and the files."""
    plain: list[str] = []
    html: list[str] = []
    files: list[Enclosure] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), _file_name(part)
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        is_text = kind in {"text/plain", "text/html"} and part.get_content_disposition() != "attachment" and not name
        if is_text:
            text = decoded(content, part.get_content_charset() or "")
            (plain if kind == "text/plain" else html).append(text)
        elif content:
            files.append(Enclosure(name or f"附件.{kind.partition('/')[2][:10]}", content))
    text = "\n".join(plain)
    return (text if text.strip() else "\n".join(as_text(each) for each in html)), files


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename("") or ""
    except (ValueError, LookupError, UnicodeError):
        return "附件"
    if any("\udc80" <= sign <= "\udcff" for sign in name):
        name = decoded(name.encode("utf-8", "surrogateescape"), "")
    return clean(str(name))[:120]


def _automatic(message: Message, address: str) -> str:
    """Why this is no person's mail; nobody answers these, or two machines would write to each other for ever."""
    said = {key.lower(): str(value).strip().lower() for key, value in message.raw_items()}
    if (
        said.get("auto-submitted", "no").partition(";")[0].strip() != "no"
        or "x-autoreply" in said
        or "x-autorespond" in said
    ):
        return "自动回复"
    if message.get_content_type() == "multipart/report" or said.get("return-path") == "<>":
        return "退信"
    if (
        said.get("precedence") in {"bulk", "junk", "list", "auto_reply"}
        or "list-id" in said
        or "list-unsubscribe" in said
    ):
        return "群发邮件"
    return "系统邮件" if MACHINES.match(address) else ""


class _Text(HTMLParser):
    """What a reader sees of a page: no script, no style, a line for each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in HIDDEN
        if tag in BLOCKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(0, self.hidden - (tag in HIDDEN))
        if tag in BLOCKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.said.append(re.sub(r"\s+", " ", data))


def as_text(html: str) -> str:
    """The words of a page of HTML, nothing else of it."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.said).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
