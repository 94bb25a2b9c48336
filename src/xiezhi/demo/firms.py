"""Invented firms: about 3,000 subjects over the demo district's streets, with valid codes that nobody holds."""

import random
from dataclasses import dataclass

from stdnum.cn import uscc

from xiezhi.demo.district import CODE, STREETS

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Trade:
    """A kind of firm: share per mille, GB/T 4754 codes with the words used in names, and the scene it belongs to."""

    per_mille: int
    industries: tuple[tuple[str, str], ...]
    scene: str = ""
    households: float = 0.0
    """Share of 个体工商户."""


TRADES: dict[str, Trade] = {
    "catering": Trade(290, (("H6210", "餐饮"), ("H6220", "快餐"), ("H6232", "咖啡"), ("H6231", "茶馆")), "餐饮", 0.45),
    "retail": Trade(230, (("F5213", "便利店"), ("F5212", "超市"), ("F5251", "药店"), ("F5211", "百货")), "", 0.4),
    "beauty": Trade(95, (("O8040", "美容美发"),), "", 0.6),
    "office": Trade(120, (("I6513", "软件"), ("M7320", "工程技术"), ("L7261", "人力资源服务"))),
    "training": Trade(55, (("P8391", "职业技能培训"),)),
    "gym": Trade(40, (("R8930", "健身"),)),
    "clinic": Trade(45, (("Q8425", "门诊部"),)),
    "hotel": Trade(40, (("H6110", "饭店"), ("H6121", "快捷酒店")), "酒店"),
    "entertainment": Trade(20, (("R9011", "歌舞娱乐"), ("R9013", "网吧"))),
    "school": Trade(15, (("P8310", "幼儿园"),)),
    "auto": Trade(25, (("O8111", "汽车维修"),), "", 0.3),
    "logistics": Trade(15, (("G5431", "货运"),)),
    "mall": Trade(7, (("K7040", "商业管理"),), "商圈"),
    "fuel": Trade(3, (("F5265", "加油站"),)),
}
FIRST = "青云锦和瑞祥万嘉启明德润泰丰宏远卓越新禾景澜清沐安宁乐怡知行"
SECOND = "源川里居坊园轩苑庭阁悦享达盛华茂霖泽舟桥麓屿岸谷"
CREDIT = ("A",) * 73 + ("B",) * 19 + ("C",) * 5 + ("D",) * 3
"""The class mix of a published list: 73.2 %, 18.7 %, 5.2 %, 3.0 %."""
RISK = {"A": "低", "B": "一般", "C": "较高", "D": "高"}


@dataclass(frozen=True)
class Firm:
    """One row of the subject sheet."""

    code: str
    name: str
    kind: str
    trade: str
    industry: str
    credit: str
    risk: str
    scenes: tuple[str, ...]
    address: str
    street: str
    longitude: float
    latitude: float
    closed: str
    opt_out: bool


def organisation_check(body: str) -> str:
    """Check character of an organisation code (GB 11714): weighted sum of eight characters modulo 11."""
    total = sum(CHARACTERS.index(char) * weight for char, weight in zip(body, ORGANISATION_WEIGHTS, strict=True))
    rest = 11 - total % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def social_credit_code(number: int, *, household: bool) -> str:
    """A valid code (GB 32100) in the unassigned region 110199, with the organisation part MADX0000 + number."""
    body = f"MADX{number:04d}"
    front = ("92" if household else "91") + CODE + body + organisation_check(body)
    return front + str(uscc.calc_check_digit(front))


def make_firms(*, count: int, seed: int) -> list[Firm]:
    """`count` firms, the same for the same seed."""
    chance = random.Random(seed)
    trades = [trade for trade, about in TRADES.items() for _ in range(about.per_mille)]
    names: set[str] = set()
    return [_firm(number, chance.choice(trades), chance, names) for number in range(1, count + 1)]


def _firm(number: int, trade: str, chance: random.Random, names: set[str]) -> Firm:
    about = TRADES[trade]
    industry, word = chance.choice(about.industries)
    household = chance.random() < about.households
    position = chance.randrange(len(STREETS))
    street = list(STREETS.values())[position]
    name = _name(word, street, household, chance, names)
    if number == 28:
        name = "北京示例青禾里餐饮管理有限公司西长安街特许加盟第二十八店"
    credit = chance.choice(CREDIT)
    scenes = [about.scene] if about.scene else []
    if trade == "office" and chance.random() < 0.35:
        scenes.append("专精特新")
    if credit == "A" and chance.random() < 0.08:
        scenes.append("无事不扰")
    column, row = position % 5, position // 5
    return Firm(
        code=social_credit_code(number, household=household),
        name=name,
        kind="个体工商户" if household else "企业",
        trade=trade,
        industry=industry,
        credit=credit,
        risk=RISK[credit],
        scenes=tuple(scenes),
        address=f"{street.removesuffix('街道')}示例路 {chance.randint(1, 299)} 号",
        street=street,
        longitude=round(116.330 + 0.018 * column + chance.uniform(-0.008, 0.008), 6),
        latitude=round(39.872 + 0.024 * row + chance.uniform(-0.011, 0.011), 6),
        closed=chance.choice(("",) * 16 + ("1", "2", "67", "7")),
        opt_out=chance.random() < 0.01,
    )


def _name(word: str, street: str, household: bool, chance: random.Random, names: set[str]) -> str:
    while True:
        brand = chance.choice(FIRST) + chance.choice(SECOND)
        name = f"北京示例{brand}{word}店" if household else f"北京示例{brand}{word}有限公司"
        if name in names:
            name = name.replace("示例", f"示例{street.removesuffix('街道')[:3]}", 1)
        if name not in names:
            names.add(name)
            return name
