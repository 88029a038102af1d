"""Category trees: the platform's own, and those made from names."""

import pytest

from products import catalog
from products.models import FIRST_OWN_CATEGORY_ID, Category, Product
from products.records import CategoryRecord, CategoryRef
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db

TREE = [
    CategoryRecord(id=1, name="数码"),
    CategoryRecord(id=2, name="耳机", parent_id=1),
    CategoryRecord(id=3, name="头戴式", parent_id=2, is_leaf=True),
]


def test_the_tree_is_stored_with_paths_and_ancestors() -> None:
    assert catalog.apply_categories(TREE) == 3

    leaf = Category.objects.get(pk=3)
    assert (leaf.parent_id, leaf.path, leaf.ancestors, leaf.level, leaf.is_leaf) == (
        2,
        "数码 / 耳机 / 头戴式",
        [1, 2, 3],
        3,
        True,
    )
    assert Category.objects.values_list("level", "is_leaf").get(pk=1) == (1, False)


def test_the_same_tree_again_writes_nothing() -> None:
    catalog.apply_categories(TREE)
    before = list(Category.objects.values_list("id", "updated_at"))

    assert catalog.apply_categories(TREE) == 0
    assert list(Category.objects.values_list("id", "updated_at")) == before


def test_a_renamed_category_renews_the_paths_below_it_only() -> None:
    catalog.apply_categories([*TREE, CategoryRecord(id=9, name="服装")])

    assert catalog.apply_categories([CategoryRecord(id=2, name="音频", parent_id=1)]) == 2

    assert Category.objects.get(pk=3).path == "数码 / 音频 / 头戴式"


def test_a_loop_or_a_missing_parent_ends_the_path() -> None:
    catalog.apply_categories(
        [
            CategoryRecord(id=1, name="a", parent_id=2),
            CategoryRecord(id=2, name="b", parent_id=1),
            CategoryRecord(id=5, name="c", parent_id=404),
        ]
    )

    assert Category.objects.get(pk=5).path == "c"
    assert {len(ancestors) for ancestors in Category.objects.values_list("ancestors", flat=True)} <= {1, 2}


def test_a_stub_is_completed_by_the_tree() -> None:
    apply(record(category=CategoryRef(id=3)))
    assert Category.objects.get(pk=3).name == "3"

    catalog.apply_categories(TREE)

    assert Category.objects.get(pk=3).path == "数码 / 耳机 / 头戴式"


def test_names_become_own_categories_with_their_ancestors() -> None:
    apply(record("1", category=CategoryRef(names=("箱包", "女包"))), record("2", category=CategoryRef(names=("箱包",))))

    bags = Category.objects.get(path="箱包")
    handbags = Category.objects.get(path="箱包 / 女包")
    assert bags.pk >= FIRST_OWN_CATEGORY_ID
    assert (handbags.parent_id, handbags.ancestors, handbags.level) == (bags.pk, [bags.pk, handbags.pk], 2)
    assert (bags.is_leaf, handbags.is_leaf) == (False, True)
    assert dict(Product.objects.values_list("source_id", "category_id")) == {"1": handbags.pk, "2": bags.pk}


def test_a_known_path_is_used_again() -> None:
    apply(record("1", category=CategoryRef(names=("箱包", "女包"))))
    apply(record("2", category=CategoryRef(names=("箱包", "男包"))))
    apply(record("3", category=CategoryRef(names=("箱包", "女包"))), source="other")

    assert sorted(Category.objects.values_list("path", flat=True)) == ["箱包", "箱包 / 女包", "箱包 / 男包"]


def test_the_platforms_tree_leaves_own_categories_alone() -> None:
    apply(record(category=CategoryRef(names=("数码",))))

    assert catalog.apply_categories(TREE) == 3
    assert Category.objects.filter(name="数码").count() == 2
