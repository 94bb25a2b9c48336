"""Text messages (短信) as this room needs them: can one leave this installation, and send this one."""

from django.utils import timezone

from xiezhi.foundation.notices.channels import ChannelKind, way_to_person
from xiezhi.foundation.notices.sending import ChannelMissing
from xiezhi.foundation.notices.services import send_code


def can_send() -> bool:
    """Whether an SMS channel that reaches one person is configured; asked before anybody is promised a code."""
    try:
        way_to_person(ChannelKind.SMS)
    except ChannelMissing:
        return False
    return True


def send(number: str, text: str) -> None:
    """Send `text` to `number` now. Raises Refused, with a sentence for the person, where it did not leave."""
    send_code(phone=number, text=text, at=timezone.now())
