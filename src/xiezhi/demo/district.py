"""Streets, departments and the items they check, as the demo district has them."""

from dataclasses import dataclass

CODE = "110199"
NAME = "演示区"
BASIS = "演示依据"

STREETS: dict[str, str] = {
    "110199001000": "西长安街街道",
    "110199003000": "新街口街道",
    "110199007000": "月坛街道",
    "110199009000": "展览路街道",
    "110199010000": "德胜街道",
    "110199011000": "金融街街道",
    "110199012000": "什刹海街道",
    "110199013000": "大栅栏街道",
    "110199014000": "天桥街道",
    "110199015000": "椿树街道",
    "110199016000": "陶然亭街道",
    "110199017000": "广安门内街道",
    "110199018000": "牛街街道",
    "110199019000": "白纸坊街道",
    "110199020000": "广安门外街道",
}


@dataclass(frozen=True)
class Item:
    """A line of the demo catalogue. `trades`: whom it concerns (keys of firms.TRADES); empty for everybody."""

    number: str
    name: str
    minutes: int
    trades: str = ""
    safety: bool = False
    off_site: bool = False
    key: bool = False
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Department:
    """A demo department. `street_teams`: teams in every street; 0 means `teams` shared by the whole district."""

    code: str
    name: str
    short: str
    items: tuple[Item, ...]
    teams: int = 2
    street_teams: int = 0


def item(number: str, name: str, minutes: int, trades: str = "", marks: str = "", lines: str = "") -> Item:
    """`marks`: S safety, O off-site possible, K key item; `lines`: the check form, separated by |."""
    return Item(number, name, minutes, trades, "S" in marks, "O" in marks, "K" in marks, tuple(lines.split("|")))


DEPARTMENTS: tuple[Department, ...] = (
    Department("SCJG", "市场监督管理局", "市场监管", (
        item("01", "食品经营许可与进货查验", 45, "catering retail hotel mall school", "SK", "许可证在有效期内并公示|进货查验记录齐全|无过期食品"),
        item("02", "餐饮具清洗消毒与后厨卫生", 40, "catering hotel school", "S", "消毒设施正常运转|后厨地面、排水清洁|从业人员健康证有效"),
        item("03", "特种设备（电梯）使用管理", 40, "hotel mall office", "S", "使用登记证在有效期内|维保记录连续|应急演练有记录"),
        item("04", "计量器具检定情况", 25, "retail catering", "", "在用计量器具贴有有效检定标志|未见作弊装置"),
        item("05", "企业公示信息抽查", 20, "", "O", "年报按期公示|登记住所可以联系"),
        item("06", "明码标价与预付费告知", 20, "gym beauty training retail", "O", "价目表醒目|预付费协议文本完整"),
    ), street_teams=1),
    Department("XFJY", "消防救援支队", "消防救援", (
        item("01", "消防设施器材与疏散通道", 45, "", "SK", "疏散通道畅通|灭火器在有效期内|应急照明完好"),
        item("02", "消防控制室值守与演练", 35, "hotel mall entertainment", "S", "值班人员持证|半年内开展演练"),
        item("03", "用火用电安全管理", 30, "catering hotel entertainment mall", "S", "电气线路检测报告|燃气报警装置有效"),
    ), teams=5),
    Department("WSJK", "卫生健康委员会", "卫生健康", (
        item("01", "公共场所卫生许可与用品消毒", 35, "hotel beauty gym entertainment", "K", "卫生许可证在有效期内|公共用品一客一换一消毒"),
        item("02", "医疗机构执业与医疗废物", 60, "clinic", "SK", "诊疗科目与许可一致|医疗废物分类收集、交接有记录"),
        item("03", "生活饮用水二次供水", 30, "hotel mall office school", "", "水质检测报告|水箱清洗记录"),
    ), teams=3),
    Department("CSGL", "城市管理委员会", "城市管理", (
        item("01", "生活垃圾分类", 20, "", "", "分类容器齐全|分类投放正确"),
        item("02", "户外广告与牌匾标识", 20, "catering retail mall hotel", "O", "设置已备案|无破损脱落隐患"),
        item("03", "燃气安全使用", 30, "catering hotel", "SK", "燃气泄漏报警器有效|软管未超期"),
        item("04", "餐厨垃圾收运合同", 15, "catering hotel school", "O", "收运合同在有效期内|收运联单齐全"),
    ), street_teams=1),
    Department("WHLY", "文化和旅游局", "文化旅游", (
        item("01", "娱乐场所经营规范", 40, "entertainment", "K", "经营许可证亮证|未成年人限入标志"),
        item("02", "旅游饭店服务规范", 35, "hotel", "", "星级标志使用规范|住宿服务信息公示"),
        item("03", "营业性演出与艺术品经营", 30, "mall entertainment", "O", "演出备案"),
    )),
    Department("YJGL", "应急管理局", "应急管理", (
        item("01", "安全生产责任制与隐患台账", 50, "mall hotel fuel logistics", "SK", "责任制上墙|隐患排查台账闭环"),
        item("02", "危险化学品经营储存", 70, "fuel", "SK", "经营许可证在有效期内|防静电、防雷检测合格"),
        item("03", "有限空间作业管理", 30, "mall hotel logistics", "S", "作业审批记录|警示标志"),
    ), teams=3),
    Department("STHJ", "生态环境局", "生态环境", (
        item("01", "餐饮油烟净化设施", 25, "catering hotel", "", "净化设施运行|清洗维护台账"),
        item("02", "油气回收装置运行", 40, "fuel", "K", "在线监控数据完整|密闭性检测报告"),
        item("03", "排污登记与危险废物", 30, "clinic auto", "O", "排污登记有效|危险废物转移联单"),
    )),
    Department("ZFJS", "住房和城乡建设委员会", "住房建设", (
        item("01", "房屋使用安全与装修备案", 40, "mall hotel entertainment office", "S", "无擅自改动承重结构|装修备案"),
        item("02", "物业服务规范", 35, "mall office", "O", "收费公示|应急预案"),
    )),
    Department("SWJU", "商务局", "商务", (
        item("01", "单用途预付卡备案与资金存管", 40, "gym beauty training mall", "K", "备案公示|存管余额与要求一致"),
        item("02", "零售商促销行为", 20, "retail mall", "O", "促销规则明示"),
        item("03", "成品油零售经营", 35, "fuel", "S", "经营批准证书在有效期内"),
    )),
    Department("JYWY", "教育委员会", "教育", (
        item("01", "校外培训机构办学行为", 45, "training", "K", "办学许可与公示|从业人员资质|预收费监管"),
        item("02", "学校食堂与校园安全", 50, "school", "SK", "陪餐记录|安保人员与设施"),
    )),
    Department("GAFJ", "公安分局", "公安", (
        item("01", "旅馆业治安管理", 30, "hotel", "SK", "住宿实名登记|监控保存期限"),
        item("02", "娱乐场所治安管理", 35, "entertainment", "S", "从业人员名簿|监控覆盖"),
    )),
    Department("RLSB", "人力资源和社会保障局", "人力社保", (
        item("01", "劳动合同与工资支付", 40, "", "O", "劳动合同签订率|工资支付台账"),
        item("02", "人力资源服务许可", 30, "office", "O", "许可证在有效期内"),
    )),
    Department("SWFJ", "税务局", "税务", (
        item("01", "发票开具与保管", 25, "", "O", "按规定开具发票"),
    )),
    Department("JTYS", "交通运输分局", "交通运输", (
        item("01", "道路货运与车辆安全", 45, "logistics", "SK", "车辆审验|驾驶员资格"),
        item("02", "机动车维修经营备案", 35, "auto", "", "备案信息一致|配件追溯"),
    )),
    Department("SHWU", "水务局", "水务", (
        item("01", "排水许可与隔油设施", 25, "catering hotel auto", "", "排水许可证|隔油池清掏记录"),
        item("02", "计划用水与节水器具", 20, "hotel gym mall", "O", "用水台账"),
    )),
    Department("YLLH", "园林绿化局", "园林绿化", (
        item("01", "绿地占用与树木保护", 30, "mall office", "O", "无擅自占用绿地"),
    )),
    Department("TYJU", "体育局", "体育", (
        item("01", "高危险性体育项目（游泳）", 45, "gym", "SK", "救生员持证在岗|水质检测"),
        item("02", "健身房预付费告知", 20, "gym", "O", "合同示范文本使用"),
    )),
    Department("YCZM", "烟草专卖局", "烟草专卖", (
        item("01", "烟草专卖零售许可", 20, "retail hotel", "", "许可证亮证|未向未成年人售烟标志"),
    )),
)  # fmt: skip

INCOMPATIBLE: tuple[tuple[str, str, str], ...] = (
    ("YJGL-02", "XFJY-02", "危险化学品检查期间不宜同时开展控制室断电演练"),
    ("WSJK-02", "CSGL-04", "医疗废物交接与餐厨垃圾检查动线须分开"),
    ("GAFJ-02", "RLSB-01", "治安检查与劳动监察询问对象重叠，分次进行"),
)
