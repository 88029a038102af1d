"""What search keeps: the texts it compares, and what it completes a text to."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _


class SearchText(models.Model):
    """What search compares of a product, apart from it so that a new price does not touch the index.

    See `products.search.documents` for `text` and `numbers`; `version` is that of the folding it was made with.
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


class SearchBuild(models.Model):
    """One row: of which `version` all that is kept is, and how far the products are that get the one in the making.

    Without a row nothing is in the making: then everything was written by those who wrote the products.
    """

    version = models.PositiveSmallIntegerField()
    target = models.PositiveSmallIntegerField()
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.version)


class Suggestion(models.Model):
    """Something that a search can be completed to: a phrase of many titles, a category, or a shop.

    `reference` is the id of the category or shop, 0 of a phrase. `folded` is the text as search compares it, `spelled`
    its pinyin and `initials` the first letters of that; both are empty without Chinese characters. `pairs` are the
    neighbouring characters of `folded`, as `products.search.folding` numbers them. `weight` says how common it is.
    """

    class Kind(models.TextChoices):
        PHRASE = "phrase", _("phrase")
        CATEGORY = "category", _("category")
        SHOP = "shop", _("shop")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    reference = models.BigIntegerField(default=0)
    text = models.CharField(_("text"), max_length=200)
    detail = models.TextField(default="", blank=True)
    # Beginnings are looked up by comparing bytes, whatever the order of the database.
    folded = models.TextField(db_collation="C")
    spelled = models.TextField(default="", blank=True, db_collation="C")
    initials = models.TextField(default="", blank=True, db_collation="C")
    pairs = ArrayField(models.IntegerField(), default=list)
    weight = models.IntegerField(_("weight"))

    class Meta:
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        constraints = [models.UniqueConstraint(fields=["kind", "reference", "text"], name="suggestion_once")]
        indexes = [
            models.Index(fields=["folded"], name="suggestion_folded"),
            models.Index(fields=["spelled"], condition=~models.Q(spelled=""), name="suggestion_spelled"),
            models.Index(fields=["initials"], condition=~models.Q(initials=""), name="suggestion_initials"),
            GinIndex(fields=["pairs"], name="suggestion_pairs"),
        ]

    def __str__(self) -> str:
        return self.text


class SuggestionRefresh(models.Model):
    """One row: when the suggestions were learned, up to which line of the change feed, and how long that took."""

    change_id = models.BigIntegerField()
    seconds = models.FloatField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.at)
