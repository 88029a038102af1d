"""Where a search stands in a title, in the title's own characters."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from products.search.folding import fold
from products.search.highlight import marks, placed
from tests.client import ApiClient
from tests.products.records import apply, record

# Other tests share the processor.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TITLES = st.text(alphabet=st.sampled_from("瑜伽褲手錶Ｔ恤iPhone15㎏ﬁß×*-_ '·é\u0301🔥👨\u200d👩，。ａ5İ"), max_size=30)


def shown(title: str, query: str) -> list[str]:
    return [title[start : start + length] for start, length in marks(title, query)]


@pytest.mark.parametrize(
    ("title", "query", "found"),
    [
        ("高腰瑜伽裤女 瑜伽服", "瑜伽", ["瑜伽", "瑜伽"]),
        ("陶瓷錶带女表", "陶瓷表", ["陶瓷錶"]),
        ("陶瓷表带", "陶瓷錶", ["陶瓷表"]),
        ("纯棉Ｔ恤男", "t恤", ["Ｔ恤"]),
        ("苹果iPhone 15 Pro 手机壳", "iphone15", ["iPhone 15"]),
        ("苹果iPhone15手机壳", "手机壳 IPHONE", ["iPhone", "手机壳"]),
        ("50㎏电子秤", "50kg", ["50㎏"]),
        ("Type-C数据线", "typec", ["Type-C"]),
        ("螺丝 M6×20 足量", "6*20", ["6×20"]),
        ("cafe\u0301 杯", "café", ["cafe\u0301"]),
        ("🔥爆款🔥收纳盒", "爆款🔥收", ["爆款🔥收"]),
        ("高腰瑜伽裤女 瑜伽服", "yujia", ["瑜伽", "瑜伽"]),
        ("高腰瑜伽裤女", "yjk", ["瑜伽裤"]),
        ("高腰瑜伽裤女", "yu jia ku", ["瑜伽裤"]),
        ("陶瓷錶带", "taocib", ["陶瓷錶"]),
        ("银行柜台 行李箱", "yinhang", ["银行"]),
        ("银行柜台 行李箱", "xingli", ["行李"]),
        ("重庆小面", "chongqing", ["重庆"]),
        ("lulu 瑜伽裤", "lulu", ["lulu"]),
        ("短袖T恤", "txu", ["T恤"]),
        ("女 包", "nvbao", ["女 包"]),
        ("高腰瑜伽裤", "kuaile", []),
        ("<b>杯</b>子", "b>杯", ["b>杯"]),
        ("杯子", "盘子", []),
        ("", "杯", []),
        ("杯", "", []),
    ],
)
def test_what_was_found_is_marked(title: str, query: str, found: list[str]) -> None:
    assert shown(title, query) == found


def test_words_that_touch_or_overlap_are_one_mark() -> None:
    assert marks("高腰瑜伽裤女", "瑜伽 伽裤 女") == [(2, 4)]


def test_places_count_characters_however_many_bytes_they_have() -> None:
    assert marks("🔥🔥杯", "杯") == [(2, 1)]


@UNHURRIED
@given(title=TITLES)
def test_every_folded_character_comes_from_somewhere(title: str) -> None:
    folded = placed(title)

    assert folded.text == fold(title)
    assert len(folded.places) == len(folded.text)
    assert folded.places == sorted(folded.places)


@UNHURRIED
@given(title=TITLES, query=TITLES)
def test_marks_are_in_order_apart_and_inside(title: str, query: str) -> None:
    end = -1
    for start, length in marks(title, query):
        assert start > end
        assert length > 0
        end = start + length
    assert end <= len(title)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["products", "products/search"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_search_shows_where_the_words_stand(plain_user: User, path: str, version: str) -> None:
    apply(record(title="🔥深圳蓝牙耳機 <b>", price=Decimal("9.90")))
    reader = ApiClient(version=version).as_(plain_user)
    listed = reader.get(path, q="耳机 深圳", highlight="true")
    plain = reader.get(path, q="耳机 深圳")

    item = (listed["items"] if version == "v1" else listed)[0]
    assert item["highlight"] == {"title": [[1, 2], [5, 2]], "shop": [[0, 2], [3, 2]]}
    del item["highlight"]
    assert [item] == (plain["items"] if version == "v1" else plain)
    assert b'"price" : 9.90' in reader.last.content


@pytest.mark.django_db
def test_a_hit_elsewhere_marks_nothing(reader: ApiClient) -> None:
    apply(record(title="耳塞", shop=None, attributes={"颜色": "雾霾蓝"}))

    assert reader.get("products/search", q="雾霾蓝", highlight="true")["items"][0]["highlight"] == {
        "title": [],
        "shop": [],
    }
