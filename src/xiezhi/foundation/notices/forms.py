from collections.abc import Callable, Collection
from typing import Any, ClassVar

from django import forms
from django.utils.functional import lazystr
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.notices.channels import Way, fits
from xiezhi.foundation.notices.models import ChannelKind, Notice, QuietHours, Wish
from xiezhi.foundation.notices.topics import topics

LEVELS = [
    (Notice.Level.INFO.value, gettext_lazy("全部（通知、提醒、催办）")),
    (Notice.Level.REMINDER.value, gettext_lazy("提醒和催办")),
    (Notice.Level.URGENT.value, gettext_lazy("只要催办")),
]
PLACES = {
    ChannelKind.SMS: gettext_lazy("手机号"),
    ChannelKind.MAIL: gettext_lazy("邮箱"),
    ChannelKind.WECOM: gettext_lazy("企业微信账号（或者自己群机器人的密钥，按管理员的说明填）"),
    ChannelKind.DINGTALK: gettext_lazy("钉钉绑定的手机号"),
    ChannelKind.FEISHU: gettext_lazy("飞书账号（或者自己群机器人的密钥，按管理员的说明填）"),
}
EXAMPLES = {
    ChannelKind.SMS: "jsons://sms.example.cn/send?:phone={to}&:message=content",
    ChannelKind.MAIL: "mailtos://user:password@mail.example.cn?from=xiezhi@example.cn&to={to}",
    ChannelKind.WECOM: "wecombot://KEY",
    ChannelKind.DINGTALK: "dingtalk://SECRET@TOKEN/{to}",
    ChannelKind.FEISHU: "feishu://TOKEN",
}


def _topics_field(label: Any, help_text: Any = "") -> forms.MultipleChoiceField:
    choices: Callable[[], list[tuple[str, Any]]] = lambda: list(topics().items())  # noqa: E731  read when drawn, not now
    return forms.MultipleChoiceField(
        label=label, help_text=help_text, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
    )


def left_out(wanted: Collection[str]) -> list[str]:
    """The topics that were not ticked. A topic that comes later is wanted until somebody unticks it."""
    return [topic for topic in topics() if topic not in wanted]


class WishForm(forms.Form):
    """How one person wants one channel."""

    to = forms.CharField(max_length=120, required=False)
    mode = forms.ChoiceField(label=gettext_lazy("何时送"), choices=Wish.Mode.choices)
    least_level = forms.ChoiceField(label=gettext_lazy("送哪些级别"), choices=LEVELS)
    wanted = _topics_field(gettext_lazy("送哪些业务的消息"))

    groups: ClassVar[Any] = (
        (gettext_lazy("送到哪里"), ("to",)),
        (gettext_lazy("送什么、何时送"), ("mode", "least_level", "wanted")),
    )

    def __init__(self, *args: Any, kind: ChannelKind, shown: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind, place = kind, self.fields["to"]
        place.label, place.required = PLACES[kind], not shown
        if shown:
            place.help_text = _("现在是 %(place)s；不改请留空。") % {"place": shown}

    def clean_to(self) -> str:
        """The place, if it can be one on this channel."""
        to = str(self.cleaned_data["to"]).strip()
        if self.kind in {ChannelKind.SMS, ChannelKind.DINGTALK}:
            to = to.replace(" ", "").replace("-", "")
        if to and not fits(self.kind, to):
            raise forms.ValidationError(
                _("这不像是可用的%(channel)s地址，请检查后重新填写。") % {"channel": self.kind.label}
            )
        return to


class QuietForm(forms.Form):
    """When to be left alone."""

    on = forms.BooleanField(label=gettext_lazy("启用免打扰"), required=False)
    starts_at = forms.TimeField(
        label=gettext_lazy("从"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    ends_at = forms.TimeField(
        label=gettext_lazy("到"),
        help_text=gettext_lazy("可以跨过零点，例如 22:00 到次日 07:00。"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    passing = _topics_field(
        gettext_lazy("哪些业务的催办照常送"), gettext_lazy("没有勾选的等免打扰结束再送；站内消息不受影响。")
    )

    @staticmethod
    def initial_of(chosen: QuietHours | None) -> dict[str, Any]:
        """What stands now: the person's choice, or the defaults."""
        return {
            "on": chosen.on if chosen else True,
            "starts_at": chosen.starts_at if chosen else QuietHours.STARTS,
            "ends_at": chosen.ends_at if chosen else QuietHours.ENDS,
            "passing": chosen.passing if chosen else list(topics()),
        }


class ChannelForm(forms.Form):
    """One channel's address, which is never drawn again, and what a group gets."""

    address = forms.CharField(
        label=gettext_lazy("通道地址"),
        max_length=1_000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    least_level = forms.ChoiceField(label=gettext_lazy("群里发哪些级别"), choices=LEVELS)
    wanted = _topics_field(
        gettext_lazy("群里发哪些业务的消息"), gettext_lazy("只对发到群里的地址（没有 {to}）有效；个人各自选择。")
    )

    def __init__(self, *args: Any, kind: ChannelKind, way: Way | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        address = self.fields["address"]
        help_text = _("例如 %(example)s；{to} 处换成接收人，没有 {to} 就发到群里。保存后不再显示。") % {
            "example": EXAMPLES[kind]
        }
        if way and way.fixed:
            address.disabled, help_text = True, _("由服务器的环境变量设定，这里不能改。")
        elif way:
            help_text = _("已经设定，不改请留空。") + help_text
        address.help_text = lazystr(help_text)


class TryForm(forms.Form):
    """Where a test message goes."""

    to = forms.CharField(max_length=120, required=False, label=gettext_lazy("试发给"))
