from hypothesis import given
from hypothesis import strategies as st

from xiezhi.domains.registry.matching import likeness, normal_name, pairs, plain


def test_names_that_differ_only_in_writing_are_the_same():
    assert (
        len(
            {
                normal_name(name)
                for name in ("演示金榆酒店（集团）有限公司", "演示金榆酒店(集团)有限责任公司", " 演示 金榆酒店集团")
            }
        )
        == 1
    )
    assert normal_name("ＡＢＣ超市") == normal_name("abc 超市")
    assert normal_name("演示小吃店（个体工商户）") == "演示小吃店"


def test_a_branch_is_not_its_firm():
    assert normal_name("演示酒店有限公司第一分公司") != normal_name("演示酒店有限公司")


def test_a_name_that_is_only_a_legal_form_stays():
    assert normal_name("有限公司") == "有限公司"
    assert normal_name("甲有限公司") == "甲有限公司"


@given(st.text(alphabet="演示金榆酒店餐饮（）() ＡaB有限公司", max_size=30))
def test_normal_is_a_fixed_point_of_plain_and_never_longer(name):
    normal = normal_name(name)
    assert plain(normal) == normal and len(normal) <= len(plain(name))
    assert bool(normal) == bool(plain(name))


@given(st.text(alphabet="甲乙丙丁", max_size=12), st.text(alphabet="甲乙丙丁", max_size=12))
def test_likeness_is_symmetric_within_bounds_and_one_for_the_same(one, other):
    assert likeness(one, other) == likeness(other, one)
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == float(bool(one))
    assert (likeness(one, other) > 0) == bool(set(pairs(one)) & set(pairs(other)) or (one == other and one))
