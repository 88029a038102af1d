"""The pages of products: what they show, how they search, and that a hostile title stays text."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from products import admin as product_pages
from products import dashboard
from products.models import Category, Product
from syncjobs.models import RejectedRecord, Source, SyncJob, SyncLog
from system.backoffice import pages as paging
from system.backoffice.html import payload_block, web_address
from tests.admin.conftest import Pages, Rows, list_of, make_job, make_product, page_of

PROBES = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'</title><svg onload=alert(1)>"]


def found(pages: Pages, **query: str) -> set[str]:
    """The SKUs of the products a list shows."""
    page = pages.get(list_of(Product), expect=200, **query)
    return {product.sku for product in Product.objects.all() if f">{product.sku}</span>" in page}


@pytest.mark.parametrize("probe", PROBES)
def test_hostile_texts_are_inert_on_every_page(probe: str, admin: User, source: Source) -> None:
    product = make_product(
        1,
        title=probe,
        sku=probe,
        unit=probe[:20],
        description=probe,
        attributes={probe: probe},
        images=[f"https://x/{probe}", "javascript:alert(1)"],
        url=f"javascript:alert(1)//{probe}",
    )
    Category.objects.update(name=probe, path=probe)
    job = make_job(source, 1, error={"code": probe, "message": probe, "other": probe})
    RejectedRecord.objects.update(source_id=probe, message=probe, code=probe[:50], payload=probe.encode())
    SyncLog.objects.update(message=probe, context={probe: probe})
    shown = [product, product.category, job, RejectedRecord.objects.get(), SyncLog.objects.get()]
    addresses = [reverse("admin:index"), *(list_of(type(row)) for row in shown), *(page_of(row) for row in shown)]
    for address in [*addresses, f"{list_of(Product)}?q={probe}", f"{list_of(Product)}?category={probe}"]:
        page = Pages(admin).get(address)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<svg onload" not in page
        assert 'href="javascript:' not in page
        assert 'src="javascript:' not in page


def test_a_product_page_shows_everything_that_belongs_to_it(viewer: User) -> None:
    page = Pages(viewer).get(page_of(make_product(1)))
    for text in ("夏季连衣裙 1", "服装 / 类目1", "店铺1", "尺码: M", "红、蓝", "12.50", "600001", "13.00"):
        assert text in page
    assert 'href="https://detail.1688.com/offer/600001.html"' in page
    assert 'referrerpolicy="no-referrer"' in page
    assert 'loading="lazy"' in page


def test_a_product_whose_category_and_shop_are_gone_still_opens(viewer: User) -> None:
    product = make_product(1, category_id=999, category=None, shop=None, price=None, images=[])
    Product.objects.filter(pk=product.pk).update(category_id=999)
    assert found(Pages(viewer)) == {product.sku}
    Pages(viewer).get(page_of(product))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("连衣裙", {1, 2}),
        ("裙 夏季", {1, 2}),
        ("600002", {2}),
        ("1688-600001", {1}),
        ("100%", {3}),
        ("%", {3}),
        ("_", set()),
        ("nothing", set()),
    ],
)
def test_search_takes_words_literally_and_numbers_exactly(text: str, expected: set[int], viewer: User) -> None:
    made = {number: make_product(number) for number in (1, 2)} | {3: make_product(3, title="棉 100%")}
    assert found(Pages(viewer), q=text) == {made[number].sku for number in expected}


def test_filters_narrow_the_list_and_add_up(viewer: User) -> None:
    first, second = make_product(1), make_product(2, stock=0, status=Product.Status.EXPIRED)
    Product.objects.filter(pk=second.pk).update(source="other")
    pages = Pages(viewer)
    assert found(pages, status__exact="expired") == {second.sku}
    assert found(pages, source="shop-a") == {first.sku}
    assert found(pages, stock="no") == {second.sku}
    assert found(pages, category="类目1") == {first.sku}
    assert found(pages, category="2") == {second.sku}
    assert found(pages, category="2", stock="yes") == set()


def test_a_category_filter_takes_what_lies_below(viewer: User) -> None:
    product = make_product(1)
    Category.objects.create(id=77, name="服装", path="服装", ancestors=[77])
    Category.objects.filter(pk=1).update(ancestors=[77, 1])
    assert found(Pages(viewer), category="77") == {product.sku}


def test_a_search_that_takes_too_long_ends_with_advice(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_product(1)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO products_product (source, source_id, sku, title, description, currency, price_tiers, stock,"
            " min_order_quantity, unit, sold_count, images, attributes, status, url, fingerprint, owned_fields,"
            " version, created_at, updated_at) SELECT 'bulk', n::text, n::text, repeat('长', 100), '', 'CNY', '[]', 0,"
            " 1, '', 0, '[]', '{}', 'published', '', '', '{}', 1, now(), now() FROM generate_series(1, 30000) n"
        )
    monkeypatch.setattr(product_pages, "SEARCH_MILLISECONDS", 1)
    page = Pages(viewer, language="en").get(list_of(Product), q="nowhere")
    assert "took too long" in page


def test_counting_a_big_table_stops_early_and_says_so(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 6):
        make_product(number)
    monkeypatch.setattr(paging, "DEPTH", 3)
    with CaptureQueriesContext(connection) as captured:
        page = Pages(viewer, language="en").get(list_of(Product), status__exact="published")
    assert "&gt; 3" in page
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 4" in count for count in counts)


def test_the_catalogue_card_counts_few_products_and_estimates_many(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 7):
        make_product(number, status=Product.Status.EXPIRED if number < 3 else Product.Status.PUBLISHED)
    exact = dashboard.catalogue_card()
    assert (exact["total"], exact["is_estimate"]) == (6, False)
    assert {status["status"]: status["count"] for status in exact["statuses"]} == {"published": 4, "expired": 2}
    monkeypatch.setattr(dashboard, "DEPTH", 3)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE products_product")
    guess = dashboard.catalogue_card()
    assert (guess["total"], guess["is_estimate"]) == (6, True)
    assert {status["status"]: status["count"] for status in guess["statuses"]} == {"published": 4, "expired": 2}


def test_a_deleted_product_is_shown_as_deleted_and_not_counted(viewer: User) -> None:
    kept = make_product(1)
    assert "已删除" not in Pages(viewer).get(page_of(kept))
    Product.objects.update(deleted_at=timezone.now())
    assert "已删除" in Pages(viewer).get(page_of(kept))
    assert dashboard.catalogue_card()["total"] == 0
    assert dashboard.catalogue_card()["statuses"] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://cbu01.alicdn.com/a.jpg", "https://cbu01.alicdn.com/a.jpg"),
        ("HTTP://x/a", "HTTP://x/a"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//evil/x", ""),
        ("https:///x", ""),
        ("http://[broken", ""),
        ("", ""),
        (None, ""),
        ({"url": "x"}, ""),
    ],
    ids=str,
)
def test_only_web_addresses_are_linked(url: object, expected: str) -> None:
    assert web_address(url) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b'{"a":"\xe4\xb8\xad"}', "{\n  &quot;a&quot;: &quot;中&quot;\n}"),
        (b"<html>", "&lt;html&gt;"),
        (b"\xff\x00", "\ufffd\x00"),
        (b"[" * 100_000, "[" * 65_536),
    ],
    ids=["json", "html", "binary", "deep"],
)
def test_a_raw_payload_is_shown_as_text(payload: bytes, expected: str) -> None:
    assert payload_block(payload) == f'<pre class="bo-pre">{expected}</pre>'


def test_rejected_records_and_logs_are_found_by_their_job(viewer: User, source: Source) -> None:
    first, second = make_job(source, 1), make_job(source, 2)
    for model in (RejectedRecord, SyncLog):
        page = Pages(viewer).get(list_of(model), job=first.task_id)
        assert page_of(first) in page
        assert page_of(second) not in page
    assert page_of(second) not in Pages(viewer).get(list_of(RejectedRecord), code="other")


def test_a_job_page_explains_the_error_and_what_to_do(viewer: User, source: Source, rows: Rows) -> None:
    held = make_job(source, 9, state=SyncJob.State.HELD, error={"code": "empty_listing"})
    page = Pages(viewer, language="en").get(page_of(held))
    assert "Check it, then resume." in page
    failed = make_job(source, 8, state=SyncJob.State.FAILED, error={"code": "x", "suggestion": "Buy calls."})
    assert "Buy calls." in Pages(viewer).get(page_of(failed))
