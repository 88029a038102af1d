"""The APIs of the platform that the connector calls."""

import msgspec

LIST_PAGE_SIZE = 20  # the platform clamps larger pages
ID_LIST_SIZE = 20
SEARCH_PAGE_SIZE = 50
# However many offers a query finds, it shows and counts no more (measured: page 41 of 50 rows is empty).
SEARCH_WINDOW = 2000


class Api(msgspec.Struct, frozen=True):
    """One API: `{namespace}:{name}-{version}` in the platform's own spelling."""

    namespace: str
    name: str
    needs_token: bool = True
    version: int = 1

    def path(self, app_key: str) -> str:
        """The path that is called and signed."""
        return f"param2/{self.version}/{self.namespace}/{self.name}/{app_key}"


_PRODUCT = "com.alibaba.product"

CURRENT_TIME = Api("system", "currentTime", needs_token=False)
CATEGORY_GET = Api(_PRODUCT, "alibaba.category.get", needs_token=False)
PRODUCT_LIST = Api(_PRODUCT, "alibaba.product.list.get")
PRODUCTS_BY_ID = Api(_PRODUCT, "alibaba.product.getByIdList")
PRODUCT_GET = Api(_PRODUCT, "alibaba.product.get")
CROSS_PRODUCT = Api(_PRODUCT, "alibaba.cross.productInfo")
CROSS_PRODUCTS = Api(_PRODUCT, "alibaba.cross.productList")
PUSH_PRODUCTS = Api("com.alibaba.product.push", "alibaba.cross.syncProductListPushed")

_CROSS_BORDER = "com.alibaba.fenxiao.crossborder"

SEARCH = Api(_CROSS_BORDER, "product.search.keywordQuery")
OFFER_DETAIL = Api(_CROSS_BORDER, "product.search.queryProductDetail")
POOL_PULL = Api(_CROSS_BORDER, "pool.product.pull")

_PUSH = "cn.alibaba.open"

FAILED_MESSAGES = Api(_PUSH, "push.query.messageList", needs_token=False)
CONFIRM_MESSAGES = Api(_PUSH, "push.message.confirm", needs_token=False)
NEXT_MESSAGES = Api(_PUSH, "push.cursor.messageList", needs_token=False)
