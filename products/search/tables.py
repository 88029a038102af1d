"""The tables of search, apart from those of the catalogue: so a new price does not touch what titles are found by."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class SearchText(models.Model):
    """What search compares of a product: see `products.search.documents` for `text` and `numbers`.

    `version` is that of the folding it was made with.
    """

    product_id = models.BigIntegerField(primary_key=True)
    shop_id = models.BigIntegerField(null=True)
    text = models.TextField()
    numbers = ArrayField(models.IntegerField())
    version = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [
            GinIndex(fields=["numbers"], name="search_numbers"),
            models.Index(fields=["shop_id"], condition=models.Q(shop_id__isnull=False), name="search_shop"),
        ]

    def __str__(self) -> str:
        return str(self.product_id)


class SearchShop(models.Model):
    """What search compares of a supplier, so that a new name of one is one row and not all of its products."""

    shop_id = models.BigIntegerField(primary_key=True)
    text = models.TextField()
    numbers = ArrayField(models.IntegerField())
    version = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [GinIndex(fields=["numbers"], name="search_shop_numbers")]

    def __str__(self) -> str:
        return str(self.shop_id)


class SearchPair(models.Model):
    """Two characters that stand side by side in a title, under one of their readings, such as "lian yi", "ly".

    Nothing keeps a pair from being here twice: writers who meet it at the same time do not wait for each other.
    """

    number = models.IntegerField()
    reading = models.CharField(max_length=15)
    initials = models.CharField(max_length=2)

    class Meta:
        indexes = [
            models.Index(fields=["number"], name="search_pair"),
            models.Index(fields=["initials", "reading"], name="search_pair_reading"),
        ]

    def __str__(self) -> str:
        return self.reading
