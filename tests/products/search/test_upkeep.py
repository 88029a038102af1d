"""What search keeps changes with the product, in its transaction, whoever writes it."""

import pytest
from django.core.management import call_command
from django.db import transaction

from products.models import Product, SearchBuild, SearchPair, SearchShop, SearchText
from products.records import ShopRecord
from products.search import vocabulary
from products.search.folding import VERSION
from products.selectors.indexed import rebuilt_percent
from products.services import products as services
from products.services.search_index import REINDEX_KIND, reindex, reindex_if_due, start_over
from products.services.skus import create_sku
from syncjobs.selectors.alerts import alerts
from system.models import Task
from tests.client import ApiClient
from tests.products.records import apply, record, sku
from tests.products.search.test_finding import found

pytestmark = pytest.mark.django_db


def kept(product_id: int) -> tuple[str, str]:
    """The row's text and PostgreSQL's mark of its last write."""
    row = SearchText.objects.extra(select={"xmin": "xmin::text"}).get(pk=product_id)
    return row.text, row.xmin


def test_a_sync_that_changes_a_title_is_found_by_the_new_one(db: None) -> None:
    apply(record("1", title="旧的标题"))
    apply(record("1", title="新的题目"))

    assert (found("旧的"), found("新的题目")) == ([], ["1"])


def test_a_new_price_or_stock_does_not_touch_what_search_keeps(db: None) -> None:
    apply(record("1", stock=1))
    before = kept(Product.objects.get().pk)
    apply(record("1", stock=2, skus=(sku(stock=3),)))

    assert kept(Product.objects.get().pk) == before


def test_a_new_variant_is_found_by_its_code_and_its_properties(db: None) -> None:
    apply(record("1"))
    apply(record("1", skus=(sku(), sku("2", code="ZX-81", spec={"颜色": "孔雀绿"}))))

    assert found("zx81") == found("孔雀绿") == ["1"]


def test_a_supplier_is_found_by_its_new_name(db: None) -> None:
    apply(record("1"))
    apply(record("1", shop=ShopRecord(source_id="b2b-1", name="杭州市新厂")))

    assert (found("杭州市"), found("深圳市")) == (["1"], [])


def test_what_is_rolled_back_is_not_found(db: None) -> None:
    with transaction.atomic():
        apply(record("1", title="孔雀开屏"))
        transaction.set_rollback(True)
    apply(record("2", title="孔雀开屏"))

    assert found("kongque") == ["2"]


def test_products_of_our_own_are_found_as_they_are_edited(db: None) -> None:
    product = services.create_product({"sku": "OWN-1", "title": "手工皮带"})
    create_sku(product.pk, {"code": "PD-7"})
    assert found("皮带") == found("pd7") == found("own1") == [""]

    services.change_product(product.pk, {"title": "手工腰带"})
    assert (found("皮带"), found("腰带")) == ([], [""])

    services.delete_product(product.pk)
    assert found("腰带") == []
    services.restore_product(product.pk)
    assert found("腰带") == [""]

    services.delete_product(product.pk)
    services.purge_product(product.pk)
    assert not SearchText.objects.exists()


@pytest.fixture
def unkept(db: None) -> None:
    """Products from before there was a search."""
    for number in range(3):
        apply(record(str(number), title=f"连衣裙{number}号"))
    for model in (SearchText, SearchShop, SearchPair):
        model.objects.all().delete()
    vocabulary.forget()


def test_a_rebuild_finds_what_was_there_before(unkept: None) -> None:
    start_over()

    assert found("连衣裙") == []
    assert sum(step.products for step in reindex()) == 3
    assert len(found("连衣裙")) == len(found("lianyiqun")) == len(found("深圳")) == 3
    assert SearchBuild.objects.get().version == VERSION
    assert list(reindex()) == []


def test_until_all_is_rebuilt_no_search_calls_its_total_exact(
    unkept: None, monkeypatch: pytest.MonkeyPatch, reader: ApiClient
) -> None:
    monkeypatch.setattr("products.services.search_index.STEP", 2)
    start_over()
    told = [_told(reader)]

    told += [_told(reader) for _ in reindex()]

    assert [*told, _told(reader)] == [(0, False), (2, False), (3, False), (3, True)]


def _told(reader: ApiClient) -> tuple[int, bool]:
    """The total of a search and whether it is exact, and an alert as long as it is not."""
    page = reader.get("products/search", q="连衣裙")
    facets = reader.get("products/search", q="连衣裙", facets="shop")["facets"]
    assert facets["exact"] is page["total_exact"] is not ("search_rebuilding" in {alert["code"] for alert in alerts()})
    return page["total"], page["total_exact"]


def test_the_alert_says_how_far_a_rebuild_is(unkept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.services.search_index.STEP", 1)
    assert rebuilt_percent() is None

    start_over()
    assert rebuilt_percent() == 0
    next(reindex())
    assert 0 < (rebuilt_percent() or 0) < 100


def test_a_rebuild_that_breaks_off_goes_on_where_it_was(unkept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.services.search_index.STEP", 2)
    start_over()
    next(reindex())

    assert len(found("连衣裙")) == 2
    assert [step.products for step in reindex()] == [1]


def test_an_upgrade_starts_one_task(unkept: None) -> None:
    start_over()
    reindex_if_due()
    reindex_if_due()

    assert Task.objects.filter(kind=REINDEX_KIND).count() == 1


def test_the_command_rebuilds_everything(unkept: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reindex_search", "--all")

    assert "3 products" in capsys.readouterr().out
    assert len(found("连衣裙")) == 3
