"""What writers keep about lists, so that readers need not look at products."""

from django.db import models


class ProductStamp(models.Model):
    """When lists last changed and how many products they hold, by scope; see `products.ingest.stamps`.

    `scope` is a category's id for the products filed right there, WHOLE the catalogue, NAMES what they all show.
    """

    WHOLE, NAMES = 0, -1

    pk = models.CompositePrimaryKey("scope", "shard")
    scope = models.BigIntegerField()
    shard = models.SmallIntegerField()
    version = models.BigIntegerField()
    products = models.BigIntegerField()
    published = models.BigIntegerField()

    class Meta:
        app_label = "products"
        db_table = "products_stamp"

    def __str__(self) -> str:
        return f"{self.scope} {self.version}"
