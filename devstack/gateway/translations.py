"""`category.translation.getById`: the categories in another language."""

from . import params
from .apis import Api, BusinessError, Call, Json, nested_refusal
from .categories import CATEGORIES, ROOT, TOP_LEVEL, Category
from .english import english_names

CROSS_BORDER = "com.alibaba.fenxiao.crossborder"
# The platform's own language is refused wherever it asks for a country or a language.
REFUSED_LANGUAGE = "zh"


def translation(call: Call) -> Json:
    """`category.translation.getById`: one category with its children; 0 is the root above level one."""
    language = call.params["language"]
    if language == REFUSED_LANGUAGE:
        raise BusinessError("language不支持zh", "LANGUAGE_INVALID")
    number = params.whole(call.params, "categoryId", ROOT)
    if number != ROOT and number not in CATEGORIES:
        raise BusinessError(f"类目[{number}]不存在", "CATEGORY_NOT_FOUND")
    children = TOP_LEVEL if number == ROOT else CATEGORIES[number].children
    row = {"categoryId": ROOT, "leaf": False, "level": "0"} if number == ROOT else _row(CATEGORIES[number])
    # The category's own flag is a boolean, its children's are text.
    rows = [_row(CATEGORIES[each]) | {"leaf": str(CATEGORIES[each].is_leaf).lower()} for each in children]
    result = row | {"language": language, "children": rows}
    return {"result": {"success": True, "code": "200", "message": "成功", "result": result}}


def _row(category: Category) -> Json:
    return {
        "categoryId": category.id,
        "chineseName": category.name,
        "translatedName": english_names()[category.id],
        "leaf": category.is_leaf,
        "level": str(category.level),
        "parentCateId": category.parent,
    }


TRANSLATION_APIS = (
    Api(CROSS_BORDER, "category.translation.getById", translation, nested_refusal, required=("language", "categoryId")),
)
