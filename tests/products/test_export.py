"""GET products/export, and exports that tasks write."""

import csv
import io
import json
import os
import stat
import time
import uuid
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from products.models import Product
from products.records import ShopRecord
from products.selectors import tables
from products.selectors.tables import COLUMNS
from products.services.export_files import FORMATS
from products.services.exports import export_path, remove_old_exports, run_export
from system import queue
from system.models import Task
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db

BOM = "\ufeff"
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "  =1+1", " @A1", "\u200b=1", "\u3000-1"]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Files go where the test can look."""
    settings.EXPORT_DIR = tmp_path / "exports"
    return Path(settings.EXPORT_DIR)


@pytest.fixture
def payer(api: ApiClient, plain_user: User) -> ApiClient:
    """Somebody whose tier includes exports, and who has no role."""
    User.objects.filter(pk=plain_user.pk).update(tier=User.Tier.ENTERPRISE)
    return api.as_(User.objects.get(pk=plain_user.pk))


def body(client: ApiClient, path: str, **headers: str) -> bytes:
    response = client.send("GET", path, headers=headers)
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def table(client: ApiClient, query: str = "") -> list[dict[str, str]]:
    """The rows of a CSV export, by heading."""
    text = body(client, f"products/export?{query}").decode()
    assert text.startswith(BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))


def sheet(content: bytes) -> list[list[Any]]:
    """The cells of an XLSX file: text as str, numbers as float."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        tree = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own
    assert not list(tree.iter(f"{SHEET}f")), "a formula"
    return [[_cell(cell) for cell in row] for row in tree.iter(f"{SHEET}row")]


def _cell(cell: ElementTree.Element) -> str | float:
    if cell.get("t") == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{SHEET}t"))
    return float(cell.findtext(f"{SHEET}v") or "nan")


def test_csv_holds_every_column_and_reads_back(payer: ApiClient) -> None:
    apply(record(title='a "quoted", 逗号\nline', source_updated_at=datetime(2026, 5, 1, 12, tzinfo=UTC)))
    product = Product.objects.get()

    (row,) = table(payer)

    assert list(row) == list(COLUMNS)
    assert (row["id"], row["sku"], row["source_id"]) == (str(product.pk), "1688-600000000001", "600000000001")
    assert (row["title"], row["shop"], row["category"]) == ('a "quoted", 逗号\nline', "深圳市耳机厂", "耳机")
    assert (row["price"], row["stock"], row["min_order_quantity"]) == ("9.90", "100", "2")
    assert json.loads(row["attributes"]) == {"品牌": "无", "颜色": ["红色", "蓝色"]}
    assert json.loads(row["price_tiers"])[1] == {"start_quantity": 100, "price": 8.0}
    assert (row["images"], row["source_updated_at"]) == ("https://cbu01.alicdn.com/img/1.jpg", "2026-05-01T12:00:00Z")
    headers = payer.last.headers
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"].startswith('attachment; filename="products-')
    assert headers["Content-Disposition"].endswith('.csv"')
    assert headers["X-Request-ID"]


def test_names_made_of_digits_are_text_and_numbers_are_not(payer: ApiClient) -> None:
    apply(record("123456789012345678901234567890", stock=10**15))

    line = body(payer, "products/export?columns=id,source_id,category_id,stock,price").decode().splitlines()[1]

    assert line == f'"{Product.objects.get().pk}","123456789012345678901234567890","7",1000000000000000,9.90'


@pytest.mark.parametrize("title", FORMULAS)
def test_no_cell_is_a_formula(payer: ApiClient, title: str) -> None:
    apply(record(title=title, shop=ShopRecord(source_id="1", name=title)))

    (row,) = table(payer)
    heading, cells = sheet(body(payer, "products/export?format=xlsx"))

    assert (row["title"], row["shop"]) == (f"'{title}", f"'{title}")
    assert cells[heading.index("title")].replace("_x000D_", "\r") == f"'{title}"
    line = json.loads(body(payer, "products/export?format=ndjson"))
    assert line["title"] == title


def test_xlsx_reads_back_with_numbers_as_numbers_and_ids_as_text(payer: ApiClient) -> None:
    for number in range(1, 4):
        apply(record(f"60000000000{number}", price=Decimal(f"{number}.50")))

    heading, *rows = sheet(body(payer, "products/export?format=xlsx&columns=source_id,title,price"))

    assert heading == ["source_id", "title", "price"]
    assert rows == [[f"60000000000{number}", "无线蓝牙耳机", number + 0.5] for number in range(1, 4)]


def test_xlsx_keeps_within_the_longest_cell(payer: ApiClient) -> None:
    apply(record(attributes={"长": "x" * 40_000}))

    _, (cell,) = sheet(body(payer, "products/export?format=xlsx&columns=attributes"))

    assert len(cell) == 32_767


def test_ndjson_lines_are_the_lists_products(payer: ApiClient) -> None:
    apply(record("1", title="two\nlines"), record("2"))

    listed = payer.get("products", order="asc")["items"]

    lines = body(payer, "products/export?format=ndjson").decode().splitlines()

    assert [json.loads(line) for line in lines] == listed
    assert payer.last.headers["Content-Type"] == "application/x-ndjson"


def test_ndjson_of_some_columns(payer: ApiClient) -> None:
    apply(record())

    assert json.loads(body(payer, "products/export?format=ndjson&columns=sku,attributes,shop_id,images")) == {
        "sku": "1688-600000000001",
        "attributes": {"品牌": "无", "颜色": ["红色", "蓝色"]},
        "shop_id": Product.objects.get().shop_id,
        "images": ["https://cbu01.alicdn.com/img/1.jpg"],
    }


def test_a_long_walk_meets_every_product_once(payer: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "STEP_ROWS", 3)
    for count in (1, 2, 3, 4, 7):
        for number in range(count):
            apply(record(str(number)))
        assert [row["source_id"] for row in table(payer)] == [str(number) for number in range(count)]


def test_filters_are_those_of_the_list(payer: ApiClient) -> None:
    apply(record("1", stock=0), record("2"))
    deleted = Product.objects.create(sku="gone", title="x", deleted_at=timezone.now())

    assert [row["source_id"] for row in table(payer, "in_stock=true")] == ["2"]
    assert table(payer, f"ids={deleted.pk}") == []


def test_nothing_to_export_is_a_heading(payer: ApiClient) -> None:
    assert table(payer) == []
    assert len(sheet(body(payer, "products/export?format=xlsx"))) == 1
    assert body(payer, "products/export?format=ndjson") == b""


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("format=pdf", "format"),
        ("columns=password", "columns"),
        ("columns=", "columns"),
        ("columns=id,id", "columns"),
        ("async=1", "async"),
        ("page=1", "page"),
        ("sortby=id", "sortby"),
        ("foo=1", "foo"),
        ("price_min=2&price_max=1", "price_min"),
    ],
)
def test_a_bad_parameter_is_named_in_the_envelope(payer: ApiClient, query: str, named: str) -> None:
    assert named in payer.get(f"products/export?{query}", expect=400)["details"]


def test_only_paying_users_and_operators_export(reader: ApiClient, api: ApiClient, operator: User) -> None:
    assert reader.get("products/export", expect=403)["code"] == "E04004"
    api.get("products/export", expect=401)
    assert table(api.as_(operator)) == []


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson, */*;q=0.1", "application/json", "*/*"])
def test_who_accepts_the_file_gets_it(payer: ApiClient, accept: str) -> None:
    assert body(payer, "products/export", Accept=accept)
    payer.call("GET", "products/export", headers={"Accept": "application/xml"}, expect=406)


def ordered(client: ApiClient, query: str = "async=true") -> dict[str, Any]:
    data: dict[str, Any] = client.get(f"products/export?{query}", expect=202)
    return data


def test_a_large_export_becomes_a_task(payer: ApiClient, settings: Settings) -> None:
    settings.EXPORT_STREAM_MAX_ROWS = 1
    apply(record("1"), record("2"))

    found = ordered(payer, "columns=source_id&price_min=1&start_time=2020-01-01")
    assert (found["status"], found["rows"], found["expires_at"]) == ("pending", None, None)
    assert payer.get(f"products/exports/{found['task_id']}/download", expect=409)["code"] == "E01023"
    queue.run(uuid.UUID(found["task_id"]))

    done = payer.get(f"products/exports/{found['task_id']}")
    content = body(payer, f"products/exports/{found['task_id']}/download")
    assert (done["status"], done["format"], done["rows"], done["bytes"]) == ("succeeded", "csv", 2, len(content))
    assert content.decode().removeprefix(BOM).splitlines() == ['"source_id"', '"1"', '"2"']
    lasts = datetime.fromisoformat(done["expires_at"]) - datetime.fromisoformat(done["finished_at"])
    assert lasts == timedelta(days=1)


@pytest.mark.parametrize("file_format", ["xlsx", "ndjson"])
def test_every_format_can_be_ordered(payer: ApiClient, file_format: str) -> None:
    apply(record())
    found = ordered(payer, f"async=true&format={file_format}")

    queue.run(uuid.UUID(found["task_id"]))

    content = body(payer, f"products/exports/{found['task_id']}/download")
    assert content == body(payer, f"products/export?format={file_format}") or file_format == "xlsx"
    assert payer.last.headers["Content-Disposition"].endswith(f'.{file_format}"')


def test_the_same_order_twice_is_one_task_until_it_is_done(payer: ApiClient) -> None:
    first = ordered(payer)
    assert ordered(payer)["task_id"] == first["task_id"]
    assert ordered(payer, "async=true&format=ndjson")["task_id"] != first["task_id"]

    queue.run(uuid.UUID(first["task_id"]))

    assert ordered(payer)["task_id"] != first["task_id"]


def test_an_export_is_its_owners_and_the_admins(payer: ApiClient, api: ApiClient, operator: User, admin: User) -> None:
    found = ordered(payer)
    queue.run(uuid.UUID(found["task_id"]))

    for path in (f"products/exports/{found['task_id']}", f"products/exports/{found['task_id']}/download"):
        api.as_(operator).get(path, expect=404)
    assert api.as_(admin).get(f"products/exports/{found['task_id']}")["status"] == "succeeded"
    assert body(api.as_(admin), f"products/exports/{found['task_id']}/download")


def test_other_tasks_are_no_exports(payer: ApiClient) -> None:
    task = Task.objects.create(kind="other", payload={"user_id": 1})

    for name in (str(task.pk), str(uuid.uuid4()), "x", "1"):
        payer.get(f"products/exports/{name}", expect=404)
        payer.get(f"products/exports/{name}/download", expect=404)


def test_old_files_and_remains_are_removed_and_then_gone(payer: ApiClient, folder: Path) -> None:
    old, new = ordered(payer), ordered(payer, "async=true&format=ndjson")
    for found in (old, new):
        queue.run(uuid.UUID(found["task_id"]))
    remains, somebodys = folder / f".{uuid.uuid4()}.csv.1", folder / "notes.csv"
    for path in (remains, somebodys):
        path.touch()
    yesterday = time.time() - 25 * 3600
    for path in folder.iterdir():
        if "ndjson" not in path.name:
            os.utime(path, (yesterday, yesterday))

    remove_old_exports()

    assert {path.name for path in folder.iterdir()} == {f"{new['task_id']}.ndjson", "notes.csv"}
    assert payer.get(f"products/exports/{old['task_id']}/download", expect=410)["code"] == "E01022"


def test_nobody_else_on_the_machine_reads_exports(payer: ApiClient, folder: Path) -> None:
    queue.run(uuid.UUID(ordered(payer)["task_id"]))

    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())] == [0o700, 0o600]


def test_after_a_lost_worker_the_file_is_written_again(payer: ApiClient, folder: Path) -> None:
    apply(record())
    found = ordered(payer)
    number = uuid.UUID(found["task_id"])
    # The worker died in the middle: the row still runs, half a file lies there.
    Task.objects.filter(pk=number).update(state="running", fence=1, lease_until=timezone.now() - timedelta(minutes=1))
    folder.mkdir(exist_ok=True)
    (folder / f".{number}.csv.1").write_text("half")

    queue.run(number)

    assert payer.get(f"products/exports/{number}")["rows"] == 1
    assert len(body(payer, f"products/exports/{number}/download").splitlines()) == 2


def test_a_cancelled_export_stops_and_leaves_nothing(payer: ApiClient, folder: Path) -> None:
    apply(record())
    number = uuid.UUID(ordered(payer)["task_id"])
    Task.objects.filter(pk=number).update(state="cancelled", fence=1)

    with pytest.raises(queue.TaskGone):
        run_export(Task.objects.get(pk=number).payload, queue.TaskContext(number, 1, None))

    assert list(folder.iterdir()) == []
    assert not export_path(number, "csv").exists()


def test_more_rows_than_a_worksheet_has_are_refused(payer: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(record("1"), record("2"))
    small = FORMATS["xlsx"]._replace(most_rows=1)
    monkeypatch.setitem(FORMATS, "xlsx", small)

    error = payer.get("products/export?format=xlsx&async=true", expect=422)

    assert (error["code"], error["details"]) == ("E01021", {"format": "xlsx", "limit": 1})


@pytest.mark.uncounted
def test_a_broken_database_is_an_error_in_the_envelope_and_no_half_file(
    payer: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(record())
    monkeypatch.setitem(COLUMNS, "title", tables.Column("1 / (p.stock - p.stock)", "1"))

    payer.get("products/export", expect=400)
