"""The result codes that come with this release. They belong in every database before anybody records a result."""

from django.db import transaction

from xiezhi.domains.inspections.models import ResultCode

SOURCE = "某公开的双随机抽查系统代码中的用法，不是官方代码表"
VERSION = "open-1"
CODES: tuple[tuple[str, str, bool, bool], ...] = (
    ("1", "未发现问题", False, True),
    ("A", "发现问题待后续处理", True, False),
    ("E", "发现问题经责令已改正", True, False),
    ("F", "未发现开展本次抽查涉及的经营活动", False, True),
    ("6", "通过登记的住所（经营场所）无法联系", True, False),
    ("8", "不配合检查情节严重", True, False),
    ("7", "已关闭停业或正在组织清算", False, False),
    ("2", "违反工商行政管理相关规定", True, False),
    ("3", "违反食品药品管理相关规定", True, False),
    ("4", "违反质量技术监督相关规定", True, False),
    ("5", "违反其他部门相关规定", True, False),
    ("B", "未按规定公示应当公示的信息", True, False),
    ("C", "公示信息隐瞒真实情况弄虚作假", True, False),
    ("D", "违反其他工商行政管理规定", True, False),
    ("G", "违反公安部门规定", True, False),
    ("9", "注销", False, False),
    ("10", "被吊销", False, False),
    ("11", "被撤销", False, False),
    ("12", "迁出", False, False),
)
"""What an officer chooses most comes first. Code, text, whether it says that a problem was found, whether it stands alone."""


def load_result_codes(*, using: str) -> int:
    """Add the codes of this release's version that the database does not have; returns how many. Those that are there stay as they are.

    Part of setting up a database, before anybody acts in it, hence neither actor nor audit entry.
    """
    with transaction.atomic(using=using):
        known = set(ResultCode.objects.using(using).filter(version=VERSION).values_list("code", flat=True))
        fresh = [
            ResultCode(code=code, text=text, problem=problem, exclusive=exclusive, source=SOURCE, version=VERSION)
            for code, text, problem, exclusive in CODES
            if code not in known
        ]
        ResultCode.objects.using(using).bulk_create(fresh)
        return len(fresh)
