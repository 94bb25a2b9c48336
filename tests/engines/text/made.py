"""Made-up complaints in four kinds, wordy enough to be learned and to be confused now and then."""

from __future__ import annotations

import random

KINDS = {
    "预付卡": ("健身房", "办了年卡", "门店关门", "会员余额", "不肯退卡", "储值", "教练离职"),
    "食品": ("超市", "牛奶过期", "吃坏肚子", "包装破损", "生产日期", "异物", "餐馆后厨"),
    "计量": ("菜市场", "缺斤短两", "电子秤", "少了二两", "加油机", "复秤", "检定标签"),
    "价格": ("停车场", "没有明码标价", "多收费用", "价签不符", "涨价", "收费公示", "套餐价格"),
}
FILLER = ("您好", "我想反映一下", "希望尽快处理", "昨天下午", "请给个说法", "一直没有人管", "打过电话", "谢谢")


def complaints(count: int, seed: int, *, noise: float = 0.05) -> tuple[list[str], list[str]]:
    """`count` texts with their labels; a share of `noise` bears a wrong label."""
    rng = random.Random(seed)
    texts, labels = [], []
    for number in range(count):
        kind = rng.choice(sorted(KINDS))
        words = [*rng.sample(KINDS[kind], 3), *rng.sample(FILLER, 3), rng.choice(rng.choice(list(KINDS.values())))]
        rng.shuffle(words)
        texts.append(
            "，".join(words) + f"。编号{chr(0x4E00 + rng.randrange(3000))}{chr(0x4E00 + rng.randrange(3000))}{number}"
        )
        labels.append(rng.choice(sorted(KINDS)) if rng.random() < noise else kind)
    return texts, labels
