"""Finding the same matter among many cases: recall and latency of the key table, with tantivy and MinHash beside it.

    python -m benchmarks.complaints.nearness [--cases 500000] [--queries 200] [--texts FILE] [--peers] [--seed 7]

Generated cases lie in a new SQLite file as rows (key, case), as the desk keeps them. Queries are made from cases that are in it:
an edited copy (a tenth of the characters changed, sentences dropped and swapped), the first 20 and 40 characters, and another person's words on the
same matter. FILE (CSV with a column text) adds real texts to ask about. A find is the right case among the first ten.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import numpy as np

from xiezhi.engines.text.nearness import PER_KEY, Matter, query_keys, rank, shortlist, stored_keys

NAMES = "金榆银槐青檀白杨丹枫翠柏云杉玉兰木棉紫荆海棠石榴腊梅秋菊春桃夏荷冬青朱雀"
TRADES = [
    "健身房",
    "超市",
    "美容院",
    "洗衣店",
    "餐馆",
    "早教中心",
    "理发店",
    "游泳馆",
    "药房",
    "菜市场",
    "家具城",
    "培训学校",
    "眼镜店",
    "手机店",
    "蛋糕店",
    "宠物店",
]
GOODS = [
    "年卡",
    "储值卡",
    "牛奶",
    "猪肉",
    "面膜",
    "月嫂课",
    "羽绒服",
    "自助餐",
    "沙发",
    "英语课",
    "近视镜",
    "旧手机",
    "生日蛋糕",
    "狗粮",
    "降压药",
    "按摩椅",
    "门票",
    "电动车",
    "净水器",
    "空调",
]
FAULTS = [
    "门店突然关门联系不上人",
    "吃完以后全家都拉肚子",
    "秤不准每斤少二两",
    "不肯开发票",
    "标价和结账价不一样",
    "收了钱一直不发货",
    "说好的老师换了人",
    "用了三天就坏了",
    "过期半年还在卖",
    "里面有一根头发",
    "强行推销还不让走",
    "充值的余额清零了",
    "合同上没写的费用也要收",
    "假冒名牌",
    "保修期内不给修",
    "押金不退",
    "泄露了我的电话",
    "宣传有医生其实没有",
    "预约了也排不上",
    "转让后新老板不认账",
]
WANTS = [
    "要求全额退款",
    "希望退还余额",
    "要求赔偿损失",
    "请查处这家店",
    "希望有人管一管",
    "要求更换新的",
    "请协调解决",
    "希望公开道歉",
]
TALK = [
    "我是附近的居民",
    "已经交涉了好几次",
    "店长态度很差",
    "打电话没人接",
    "有聊天记录和付款截图",
    "同小区好多人都遇到了",
    "孩子还小经不起折腾",
    "钱虽不多但是气人",
    "老人攒了很久的钱",
    "之前在别处从没遇到",
    "他们一直推来推去",
    "店里监控可以作证",
    "微信群里都在骂",
    "请尽快给个答复",
    "我工作忙只能下班去",
    "上个月就反映过一次",
    "承诺三天解决到现在没动静",
    "小票还留着",
]


What = tuple[str, str, int, str]
"""Goods, fault, amount and place."""


def case(rng: random.Random, merchant: int, matter: What) -> str:
    """One person's words on a matter."""
    goods, fault, amount, place = matter
    name = merchant_name(merchant)
    opening = rng.choice(
        ["我在{p}的{n}买了{g}花了{a}元", "{p}{n}卖的{g}有问题", "反映{n}（{p}）的{g}", "本人于上月在{n}消费{a}元办{g}"]
    )
    parts = [
        opening.format(p=place, n=name, g=goods, a=amount),
        fault,
        *rng.sample(TALK, rng.randint(2, 6)),
        rng.choice(WANTS),
    ]
    return "，".join([parts[0], *rng.sample(parts[1:-1], len(parts) - 2), parts[-1]]) + "。"


@cache
def merchant_name(number: int) -> str:
    """A made-up shop; 8,000 different."""
    rng = random.Random(number)
    return "".join(rng.sample(NAMES, 3)) + rng.choice(TRADES)


def matter(rng: random.Random) -> What:
    place = "".join(rng.sample(NAMES, 2)) + rng.choice(["路", "街", "里", "广场"])
    return rng.choice(GOODS), rng.choice(FAULTS), rng.randrange(10, 20000), place


def edited(text: str, rng: random.Random) -> str:
    """The same text retold by its writer: sentences dropped and swapped, a tenth of the characters changed."""
    parts = [each for each in re.split("(?<=[，。！？；])", text) if each and rng.random() > 0.15] or [text]
    at = rng.randrange(len(parts))
    parts = parts[at:] + parts[:at] if rng.random() < 0.5 else parts
    return "".join(rng.choice(NAMES) if rng.random() < 0.1 else each for each in "".join(parts))


def minhash_bands(text: str, rows: int = 4) -> set[int]:
    """32 bands of 4 (peer): MinHash over the same 3-grams."""
    from xiezhi.engines.text.nearness import _grams

    grams = _grams(text)
    if not len(grams):
        return set()
    turns = np.random.default_rng(0).integers(1, 2**63, size=128, dtype=np.uint64) | np.uint64(1)
    least = (grams[None, :] * turns[:, None]).min(axis=1).reshape(-1, rows)
    return {hash((at, *row)) for at, row in enumerate(least.tolist())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    merchants = [rng.randrange(8000) for _ in range(options.cases)]
    matters = [matter(rng) for _ in merchants]
    texts = [case(rng, m, what) for m, what in zip(merchants, matters, strict=True)]
    facts = [(f"merchant:{m}",) for m in merchants]
    asked = rng.sample(range(len(texts)), options.queries)
    kinds: dict[str, list[tuple[int, str, tuple[str, ...]]]] = {
        "edited copy": [(at, edited(texts[at], rng), ()) for at in asked],
        "first 20 characters": [(at, texts[at][:20], ()) for at in asked],
        "another's words": [(at, case(rng, merchants[at], matters[at]), ()) for at in asked],
        "another's words, merchant known": [(at, case(rng, merchants[at], matters[at]), facts[at]) for at in asked],
    }
    if options.texts:
        with options.texts.open(encoding="utf-8-sig", newline="") as file:
            real = [row["text"] for row in csv.DictReader(file)]
        places = rng.sample(range(len(real)), min(options.queries, len(real)))
        start = len(texts)
        texts += real
        facts += [()] * len(real)
        kinds["real text, edited copy"] = [(start + at, edited(real[at], rng), ()) for at in places]
        for length in (20, 40):
            kinds[f"real text, {length} characters from anywhere"] = [
                (start + at, real[at][(cut := rng.randrange(max(1, len(real[at]) - length))) : cut + length], ())
                for at in places
            ]
    print(f"{len(texts):,} cases, {sum(map(len, texts)) / len(texts):.0f} characters on average")
    with tempfile.TemporaryDirectory() as folder:
        tell("key table, SQLite", kinds, table(Path(folder) / "keys.sqlite", texts, facts), texts)
        if options.peers:
            tell("tantivy, pairs of characters", kinds, tantivy_index(folder, texts), texts)
    if options.peers:
        for kind, queries in kinds.items():
            found = sum(bool(minhash_bands(texts[at]) & minhash_bands(text)) for at, text, _ in queries)
            print(f"MinHash 32 × 4 | {kind} | a band in common: {found / len(queries):.3f}")


def table(path: Path, texts: list[str], facts: list[tuple[str, ...]]) -> Callable[[str, tuple[str, ...]], list[int]]:
    began = time.perf_counter()
    kept = [np.array(stored_keys(text, known), dtype=np.int64) for text, known in zip(texts, facts, strict=True)]
    hashed = time.perf_counter() - began
    keys, cases = np.concatenate(kept), np.repeat(np.arange(len(kept)), [len(each) for each in kept])
    order = np.lexsort((cases, keys))
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE k (key INTEGER, c INTEGER, PRIMARY KEY (key, c)) WITHOUT ROWID")
    for at in range(0, len(order), 1_000_000):
        part = order[at : at + 1_000_000]
        base.executemany("INSERT INTO k VALUES (?, ?)", zip(keys[part].tolist(), cases[part].tolist(), strict=True))
    base.commit()
    print(
        f"keys: {len(order):,} rows, {len(order) / len(texts):.1f} a case, {path.stat().st_size / 1e6:.0f} MB,"
        f" {1e6 * hashed / len(texts):.0f} µs a case",
        flush=True,
    )

    def search(text: str, known: tuple[str, ...]) -> list[int]:
        asked = query_keys(text, known)
        if not asked:
            return []
        part = f"SELECT * FROM (SELECT key, c FROM k WHERE key=? ORDER BY c DESC LIMIT {PER_KEY})"
        found: Iterable[tuple[int, int]] = base.execute(" UNION ALL ".join([part] * len(asked)), asked)
        listed = shortlist(found, facts=known)
        ranked = rank(Matter(text, known), [(at, Matter(texts[at], facts[at])) for at in listed])
        return [int(str(each.id)) for each in ranked]

    return search


def tantivy_index(folder: str, texts: list[str]) -> Callable[[str, tuple[str, ...]], list[int]]:
    import tantivy

    from xiezhi.engines.text.normal import normalise

    def pairs(text: str) -> str:
        plain = normalise(text)
        return " ".join(plain[at : at + 2] for at in range(len(plain) - 1))

    began = time.perf_counter()
    schema = tantivy.SchemaBuilder()
    schema.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    schema.add_integer_field("at", stored=True)
    home = Path(folder) / "tantivy"
    home.mkdir()
    index = tantivy.Index(schema.build(), path=str(home))
    writer = index.writer(heap_size=200_000_000, num_threads=1)
    for at, text in enumerate(texts):
        writer.add_document(tantivy.Document(text=pairs(text), at=at))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    size = sum(each.stat().st_size for each in home.iterdir()) / 1e6
    print(f"tantivy: {size:.0f} MB, {1e6 * (time.perf_counter() - began) / len(texts):.0f} µs a case")
    searcher = index.searcher()

    def search(text: str, known: tuple[str, ...]) -> list[int]:
        words = sorted(set(pairs(text).split()))[:200]
        query = tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(index.schema, "text", each)) for each in words]
        )
        return [searcher.doc(place)["at"][0] for _, place in searcher.search(query, 10).hits]

    return search


def tell(name: str, kinds: dict, search: Callable[[str, tuple[str, ...]], list[int]], texts: list[str]) -> None:
    for kind, queries in kinds.items():
        spent, found, first = [], 0, 0
        for at, text, known in queries:
            began = time.perf_counter()
            got = search(text, known)
            spent.append(time.perf_counter() - began)
            same = [texts[each] == texts[at] for each in got]
            found += any(same)
            first += bool(same[:1] and same[0])
        spent.sort()
        print(
            f"{name} | {kind} | first {first / len(queries):.3f} | in ten {found / len(queries):.3f} |"
            f" median {1000 * spent[len(spent) // 2]:.1f} ms | p95 {1000 * spent[int(len(spent) * 0.95)]:.1f} ms |"
            f" worst {1000 * spent[-1]:.1f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
