"""Words that titles, attributes and options are made of, by trade; values are what sellers really write."""

from dataclasses import dataclass

# (number, name, values): how the platform describes one property.
Property = tuple[int, str, tuple[str, ...]]

COLOURS = ("黑色", "白色", "雾霾蓝", "杏色", "酒红色", "军绿", "卡其色", "粉色", "深灰", "香芋紫", "焦糖色", "藏青")
COLOUR: Property = (3216, "颜色", COLOURS)
SIZE: Property = (450, "尺码", ("S", "M", "L", "XL", "2XL", "3XL"))
CHILD_SIZE: Property = (450, "尺码", ("80cm", "90cm", "100cm", "110cm", "120cm", "130cm"))
SHOE_SIZE: Property = (450, "尺码", ("36", "37", "38", "39", "40", "41", "42", "43"))
MODEL: Property = (3151, "规格", ("标准款", "升级款", "加厚款", "豪华款", "旗舰款", "套装"))
MEASURE: Property = (446, "尺寸", ("小号", "中号", "大号", "加大号", "特大号"))
BED_SIZE: Property = (446, "尺寸", ("1.2m床", "1.5m床", "1.8m床", "2.0m床"))
CAPACITY: Property = (2900, "容量", ("350ml", "500ml", "750ml", "1000ml"))
PHONE: Property = (9512, "适用型号", ("iPhone 15", "iPhone 15 Pro", "iPhone 16", "Mate 60", "小米14", "Redmi K70"))
PACK: Property = (1234, "包装规格", ("单只", "10只装", "50只装", "100只装", "整箱"))


@dataclass(frozen=True)
class Trade:
    """What one line of business shares: option axes, title words, further attributes, maker names, places."""

    axes: tuple[Property, Property]
    styles: tuple[str, ...]
    features: tuple[str, ...]
    materials: tuple[str, ...]
    material_property: tuple[int, str]
    extra: tuple[Property, ...]
    makers: tuple[str, ...]
    places: tuple[str, ...]
    unit: str = "件"


FABRIC = (117130178, "主面料成分")
MATERIAL = (287, "材质")

CLOTHING = Trade(
    axes=(COLOUR, SIZE),
    styles=("法式", "韩版", "新中式", "港风", "美式复古", "通勤", "小香风", "学院风"),
    features=("收腰", "显瘦", "宽松", "高腰", "碎花", "泡泡袖", "撞色", "百搭", "垂感", "中长款"),
    materials=("棉", "涤纶", "雪纺", "亚麻", "醋酸", "莱赛尔"),
    material_property=FABRIC,
    extra=(
        (8060, "适用季节", ("春季", "夏季", "秋季", "冬季")),
        (2629, "图案", ("纯色", "条纹", "格子", "印花")),
        (1456, "厚薄", ("薄", "适中", "加厚", "加绒")),
        (8017, "货源类别", ("现货", "订货")),
    ),
    makers=("服饰厂", "服装有限公司", "制衣厂", "针织厂"),
    places=("广东省 广州市", "浙江省 杭州市", "福建省 泉州市 石狮市", "广东省 东莞市", "江苏省 苏州市 常熟市"),
)
CHILDREN = Trade(
    axes=(COLOUR, CHILD_SIZE),
    styles=("洋气", "卡通", "小恐龙", "公主风", "运动风", "国潮"),
    features=("纯棉", "透气", "亲肤", "宽松", "A类", "不起球", "可开裆", "加绒"),
    materials=("棉", "莫代尔", "竹纤维", "绒布"),
    material_property=FABRIC,
    extra=(
        (8060, "适用季节", ("春季", "夏季", "秋季", "冬季")),
        (1489, "适用性别", ("男", "女", "中性")),
        (3152, "安全等级", ("A类", "B类")),
    ),
    makers=("童装厂", "婴童用品有限公司", "服饰有限公司"),
    places=("浙江省 湖州市 织里镇", "广东省 佛山市", "河北省 保定市", "山东省 青岛市 即墨区"),
    unit="套",
)
SHOES = Trade(
    axes=(COLOUR, SHOE_SIZE),
    styles=("休闲", "潮流", "老爹", "德训", "复古", "真皮"),
    features=("厚底", "透气", "防滑", "增高", "软底", "低帮", "一脚蹬", "轻便"),
    materials=("PU", "网布", "头层牛皮", "EVA", "帆布"),
    material_property=(1399, "鞋面材质"),
    extra=(
        (1400, "鞋底材质", ("橡胶", "PVC", "EVA", "PU")),
        (8060, "适用季节", ("春季", "夏季", "秋季", "冬季")),
        (2578, "闭合方式", ("系带", "套脚", "魔术贴")),
    ),
    makers=("鞋业有限公司", "鞋厂", "制鞋厂"),
    places=("福建省 泉州市 晋江市", "浙江省 温州市", "四川省 成都市", "浙江省 台州市 温岭市"),
    unit="双",
)
BAGS = Trade(
    axes=(COLOUR, MEASURE),
    styles=("质感", "ins风", "大容量", "轻奢", "韩版", "跨境"),
    features=("单肩斜挎", "百搭", "防水", "耐磨", "通勤", "手提", "链条", "时尚"),
    materials=("PU", "牛津布", "帆布", "头层牛皮", "ABS+PC"),
    material_property=MATERIAL,
    extra=(
        (1501, "闭合方式", ("拉链", "磁扣", "抽带")),
        (1502, "里料材质", ("涤纶", "绒布", "无")),
        (1503, "适用场景", ("休闲", "旅行", "商务", "约会")),
    ),
    makers=("皮具厂", "箱包有限公司", "手袋厂"),
    places=("河北省 保定市 白沟镇", "广东省 广州市 花都区", "浙江省 嘉兴市 平湖市"),
    unit="个",
)
JEWELLERY = Trade(
    axes=(COLOUR, MODEL),
    styles=("小众", "复古", "轻奢", "法式", "国风", "ins"),
    features=("不掉色", "锆石", "珍珠", "叠戴", "高级感", "镶钻", "防紫外线", "百搭"),
    materials=("合金", "S925银", "钛钢", "铜镀金", "树脂"),
    material_property=MATERIAL,
    extra=(
        (1601, "处理工艺", ("电镀", "镶嵌", "雕刻", "滴油")),
        (1602, "适用场合", ("聚会", "派对", "礼物", "日常")),
        (1603, "流行元素", ("爱心", "蝴蝶结", "星月", "几何")),
    ),
    makers=("饰品厂", "饰品有限公司", "眼镜厂", "首饰商行"),
    places=("浙江省 金华市 义乌市", "广东省 广州市 荔湾区", "山东省 青岛市", "浙江省 台州市"),
    unit="个",
)
TOYS = Trade(
    axes=(MODEL, COLOUR),
    styles=("儿童", "益智", "创意", "网红", "卡通", "亲子"),
    features=("早教", "启蒙", "可拆洗", "大颗粒", "双面", "发声", "解压", "安抚"),
    materials=("ABS塑料", "榉木", "PP棉", "短毛绒", "纸质"),
    material_property=MATERIAL,
    extra=(
        (1701, "适用年龄", ("3-6岁", "6岁以上", "14岁以上")),
        (1702, "3C认证", ("有", "无")),
        (1703, "玩具用途", ("益智", "礼品", "装饰", "教学")),
    ),
    makers=("玩具厂", "玩具有限公司", "塑胶玩具实业"),
    places=("广东省 汕头市 澄海区", "浙江省 金华市 义乌市", "江苏省 扬州市", "浙江省 丽水市 云和县"),
    unit="个",
)
HOUSEHOLD = Trade(
    axes=(COLOUR, CAPACITY),
    styles=("家用", "日式", "北欧", "轻奢", "简约", "网红"),
    features=("加厚", "可折叠", "防滑", "大容量", "食品级", "耐高温", "不粘", "密封"),
    materials=("304不锈钢", "PP塑料", "高硼硅玻璃", "陶瓷", "铸铁"),
    material_property=MATERIAL,
    extra=(
        (346, "产地", ("浙江", "广东", "江西", "湖南")),
        (1801, "适用空间", ("客厅", "厨房", "卧室", "浴室")),
        (1802, "加工定制", ("是", "否")),
    ),
    makers=("日用品厂", "家居用品有限公司", "工贸有限公司", "厨具厂"),
    places=("浙江省 台州市 黄岩区", "浙江省 金华市 永康市", "广东省 揭阳市", "江西省 景德镇市", "广东省 潮州市"),
    unit="个",
)
TEXTILES = Trade(
    axes=(COLOUR, BED_SIZE),
    styles=("水洗棉", "北欧", "ins风", "轻奢", "提花", "法式"),
    features=("亲肤", "裸睡", "加厚", "遮光", "可机洗", "A类", "绣花", "双面"),
    materials=("纯棉", "磨毛", "天丝", "雪尼尔", "涤纶"),
    material_property=FABRIC,
    extra=(
        (1901, "工艺", ("活性印花", "提花", "绣花", "染色")),
        (1902, "支数", ("40支", "60支", "80支")),
        (1903, "风格", ("北欧", "现代简约", "田园", "中式")),
    ),
    makers=("家纺有限公司", "纺织品厂", "布艺厂"),
    places=("江苏省 南通市", "浙江省 绍兴市 柯桥区", "山东省 滨州市", "浙江省 杭州市 余杭区"),
    unit="套",
)
DIGITAL = Trade(
    axes=(COLOUR, PHONE),
    styles=("磁吸", "透明", "电镀", "无线", "迷你", "旗舰"),
    features=("快充", "防摔", "超长续航", "降噪", "全包", "PD快充", "编织", "高音质"),
    materials=("TPU", "硅胶", "PC", "铝合金", "尼龙编织"),
    material_property=MATERIAL,
    extra=(
        (1453, "功率", ("20W", "33W", "65W", "100W")),
        (2101, "产品认证", ("3C", "CE", "FCC", "ROHS")),
        (2102, "接口类型", ("Type-C", "Lightning", "USB-A")),
    ),
    makers=("电子有限公司", "科技有限公司", "数码配件厂"),
    places=("广东省 深圳市", "广东省 东莞市", "广东省 惠州市", "广东省 广州市 天河区"),
    unit="个",
)
APPLIANCES = Trade(
    axes=(COLOUR, MODEL),
    styles=("桌面", "USB", "手持", "家用", "太阳能", "复古"),
    features=("静音", "充电", "大风力", "防水", "护眼", "遥控", "磁吸", "超亮"),
    materials=("ABS塑料", "铝合金", "PC", "铁艺"),
    material_property=MATERIAL,
    extra=(
        (1178, "电压", ("5V", "12V", "220V")),
        (1453, "功率", ("5W", "10W", "20W", "50W")),
        (1141, "防水等级", ("IPX4", "IP44", "IP65", "IP67")),
        (2102, "光源", ("LED", "无")),
    ),
    makers=("电器有限公司", "照明有限公司", "小家电厂"),
    places=("广东省 中山市 古镇镇", "广东省 佛山市 顺德区", "浙江省 宁波市 慈溪市", "广东省 深圳市 宝安区"),
    unit="台",
)
PACKAGING = Trade(
    axes=(MEASURE, PACK),
    styles=("三层特硬", "五层加硬", "牛皮纸", "透明", "定制", "高档"),
    features=("加厚", "免费设计", "印logo", "防潮", "快递打包", "一次性", "可降解", "现货"),
    materials=("瓦楞纸", "白卡纸", "PE", "OPP", "特种纸"),
    material_property=MATERIAL,
    extra=(
        (346, "产地", ("浙江", "广东", "河北", "山东")),
        (2301, "印刷工艺", ("胶印", "烫金", "丝印", "空白")),
        (2302, "用途", ("快递", "食品", "礼品", "服装")),
    ),
    makers=("包装厂", "纸品有限公司", "包装材料有限公司"),
    places=("浙江省 金华市 义乌市", "浙江省 温州市 苍南县", "河北省 沧州市", "广东省 东莞市"),
    unit="个",
)
SPORTS = Trade(
    axes=(COLOUR, MEASURE),
    styles=("户外", "专业", "家用", "防滑", "便携", "登山"),
    features=("加厚", "耐磨", "回弹", "防水", "减震", "透气", "速干", "初学者"),
    materials=("TPE", "NBR", "乳胶", "尼龙", "网布"),
    material_property=MATERIAL,
    extra=(
        (2401, "适用人群", ("男女通用", "儿童", "成人")),
        (2402, "适用场景", ("健身房", "居家", "户外", "瑜伽馆")),
        (1802, "加工定制", ("是", "否")),
    ),
    makers=("体育用品有限公司", "运动用品厂", "户外用品厂"),
    places=("福建省 泉州市 晋江市", "浙江省 金华市 永康市", "江苏省 南通市", "山东省 德州市"),
    unit="个",
)
HOME_GARDEN = Trade(
    axes=(COLOUR, MEASURE),
    styles=("宠物", "四季通用", "加厚", "创意", "北欧", "仿陶瓷"),
    features=("可拆洗", "保暖", "除臭", "结团", "透气", "耐咬", "防水", "深度睡眠"),
    materials=("短毛绒", "膨润土", "豆腐", "树脂", "PP塑料"),
    material_property=MATERIAL,
    extra=(
        (2501, "适用对象", ("猫", "狗", "通用", "绿植")),
        (346, "产地", ("山东", "河北", "江苏", "辽宁")),
    ),
    makers=("宠物用品有限公司", "园艺用品厂", "宠物用品厂"),
    places=("江苏省 苏州市", "河北省 邢台市", "山东省 临沂市", "辽宁省 朝阳市"),
    unit="个",
)
BEAUTY = Trade(
    axes=(COLOUR, MODEL),
    styles=("专业", "便携", "网红", "初学者", "迷你", "ins"),
    features=("不吃粉", "柔软", "干湿两用", "速干", "顺滑", "大容量", "套装", "不掉毛"),
    materials=("人造纤维", "亲水聚氨酯", "羊毛", "木柄"),
    material_property=MATERIAL,
    extra=(
        (2601, "功效", ("上妆", "书写", "定妆", "记录")),
        (2602, "适用人群", ("学生", "女士", "通用")),
        (1802, "加工定制", ("是", "否")),
    ),
    makers=("美妆工具有限公司", "文具有限公司", "文化用品厂"),
    places=("广东省 深圳市 龙岗区", "河北省 沧州市", "浙江省 宁波市 宁海县", "浙江省 金华市 义乌市"),
    unit="套",
)

TRADE_OF_TOP = {
    10166: CLOTHING, 10165: CLOTHING, 312: CLOTHING, 311: CHILDREN, 1038378: SHOES, 1042954: BAGS, 54: JEWELLERY,
    1813: TOYS, 15: HOUSEHOLD, 67: HOUSEHOLD, 96: TEXTILES, 7: DIGITAL, 6: APPLIANCES, 68: APPLIANCES,
    9101: PACKAGING, 18: SPORTS, 122916001: HOME_GARDEN, 97: BEAUTY, 21: BEAUTY,
}  # fmt: skip

OPENINGS = ("2025新款", "2026夏季新款", "秋冬新款", "厂家直销", "跨境", "现货", "一件代发", "工厂批发", "爆款", "")
TAILS = ("", "女", "男女同款", "批发", "跨境货源", "一件代发", "支持定制", "厂家现货", "源头工厂", "2件包邮")
ORNAMENTS = ("✷{}", "☽{}☾", "【厂家直销】{}", "{}【包邮】", "★{}★", "🔥{}", "２０２６{}", "《{}》")
RETITLES = ("升级版", "热卖", "新版", "加量", "秋季新款", "限时", "优选")
BRANDS = ("无牌", "无牌", "其他", "锦程", "拾光里", "MUYI", "ANNOY", "朵以", "初见", "Haoke")
MAKER_NAMES = (
    "锦程", "宏达", "鑫源", "恒丰", "嘉美", "亿佳", "永盛", "华茂", "瑞祥", "金泰",
    "凯旋", "丰泽", "盛世", "德隆", "万通", "佳禾", "天成", "美源", "新时代", "蓝海",
)  # fmt: skip
DESCRIPTION_LINES = (
    "源头工厂，支持一件代发，48小时内发货。",
    "尺寸为手工测量，误差1-3cm属正常范围。",
    "因显示器不同，颜色请以实物为准。",
    "大货价格请联系客服，量大从优。",
    "支持来图来样定制，免费打样。",
    "7天无理由退换，不影响二次销售即可。",
)
