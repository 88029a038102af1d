"""The category tree of the simulated platform, three levels deep, with the platform's own style of numbers."""

from collections.abc import Iterator
from dataclasses import dataclass

ROOT = 0

# One row a category: depth by indentation, number, name. A row without deeper rows below it is a leaf.
_OUTLINE = """
10166 女装
  1031910 连衣裙
  1031918 T恤
  201128501 裙装裤装
    1031920 半身裙
    1034340 女式牛仔裤
    1031912 女式休闲裤
  201128502 上装外套
    1031919 女式衬衫
    1031925 针织衫
    122704004 女式羽绒服
10165 男装
  201128601 男士上装
    127424004 男式T恤
    1031863 男式衬衫
    1031866 男式夹克
  201128602 男士裤装
    1031868 男式牛仔裤
    1031870 男式休闲裤
311 童装
  1037012 儿童套装系列
    1037039 儿童套装
    1037192 童装连衣裙
  1037013 婴幼服饰
    1037648 婴儿连体衣
312 内衣
  1037003 袜子
    1037005 棉袜
    1037007 船袜
  1037004 睡衣家居服
    1037011 睡衣套装
1038378 鞋
  126506004 男鞋
    126484005 男士休闲鞋
    126442003 男士板鞋
    201831311 洞洞鞋
  125372002 女鞋
    125274013 女士老爹鞋
    1038548 女士单鞋
1042954 箱包皮具
  124016002 女包
    201580619 女士单肩包
    201960405 托特包
    201554511 链条斜挎包
  124016003 功能箱包
    1042841 双肩背包
    1042844 拉杆箱
54 服饰配件、饰品
  80 眼镜及配件
    1031922 太阳眼镜
  122084101 饰品
    1031904 项链
    1031905 耳环耳钉
    1031906 手链手镯
  122084102 发饰
    1031908 发夹
1813 玩具
  1813101 益智早教玩具
    1044311 积木拼装玩具
    1044312 早教卡片
  1813102 毛绒布艺玩具
    1044320 毛绒公仔
15 居家日用品
  122084201 收纳用品
    1043351 收纳箱
    1043352 衣架
  122084202 杯壶
    1043381 保温杯
    1043382 玻璃杯
67 餐饮厨具
  122084301 烹饪用具
    1043411 炒锅
    1043412 厨房刀具
  122084302 餐具
    1043421 陶瓷碗
96 家纺家饰
  122084401 床上用品
    1043501 四件套
    1043502 夏凉被
  122084402 家饰
    1043511 窗帘
    1043512 抱枕
7 数码、电脑
  122084501 手机配件
    1034411 手机壳
    1034412 数据线
    1034413 充电器
  123456 电子产品
    1034421 蓝牙耳机
6 家用电器
  122084601 生活电器
    1034501 小风扇
    1034502 加湿器
68 灯饰照明
  201273469 户外灯具
    201273473 户外照明
    201273475 太阳能庭院灯
  201273470 室内灯具
    201273481 台灯
9101 包装
  10208 纸包装
    122084002 纸箱
    122084003 礼品盒
  10209 塑料包装
    122084010 自封袋
18 运动户外
  121876002 户外鞋袜
    121912001 户外徒步鞋
  122084701 健身器材
    1035511 瑜伽垫
    1035512 弹力带
122916001 宠物及园艺
  122916010 宠物用品
    122916011 宠物窝
    122916012 猫砂
  122916020 园艺用品
    122916021 花盆
97 美妆日化
  122084801 彩妆工具
    1046611 化妆刷
    1046612 美妆蛋
21 办公、文化
  122084901 文具
    1046711 笔记本
    1046712 中性笔
"""


@dataclass(frozen=True)
class Category:
    """One node of the tree; `parent` is `ROOT` at level one, `level` counts from one."""

    id: int
    name: str
    parent: int
    level: int
    children: tuple[int, ...]

    @property
    def is_leaf(self) -> bool:
        """Only leaves hold products."""
        return not self.children


def _rows() -> Iterator[tuple[int, int, str]]:
    for line in _OUTLINE.strip().splitlines():
        number, name = line.split(maxsplit=1)
        yield (len(line) - len(line.lstrip())) // 2 + 1, int(number), name


def _read_outline() -> dict[int, Category]:
    rows = list(_rows())
    path: dict[int, int] = {0: ROOT}
    parents: dict[int, int] = {}
    for level, number, _ in rows:
        path[level] = number
        parents[number] = path[level - 1]
    return {
        number: Category(number, name, parents[number], level, tuple(c for c, p in parents.items() if p == number))
        for level, number, name in rows
    }


CATEGORIES = _read_outline()
TOP_LEVEL = tuple(c.id for c in CATEGORIES.values() if c.parent == ROOT)
LEAVES = tuple(c.id for c in CATEGORIES.values() if c.is_leaf)


def leaves_under(category_id: int) -> frozenset[int]:
    """The leaf itself, or every leaf below an ancestor; empty for a number outside the tree."""
    category = CATEGORIES.get(category_id)
    if category is None:
        return frozenset()
    if category.is_leaf:
        return frozenset({category_id})
    return frozenset().union(*(leaves_under(child) for child in category.children))


def top_of(category_id: int) -> int:
    """The level-one ancestor of a category, or itself."""
    category = CATEGORIES[category_id]
    return category_id if category.parent == ROOT else top_of(category.parent)


# Where a product goes when its category is changed: always another leaf under the same level-one category.
SIBLING_LEAVES = {leaf: tuple(sorted(leaves_under(top_of(leaf)))) for leaf in LEAVES}
