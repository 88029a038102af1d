"""Requests that wait together share what is read for them, and none is told less than was true when it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from accounts.models import User
from accounts.services import open_session
from tests.conftest import HANG_SECONDS
from tests.products.records import apply, record
from tests.server.webserver import WebServer

READERS, WRITES = 8, 40


@contextmanager
def asked_all_the_time(address: str, headers: dict[str, str]) -> Iterator[set[int]]:
    """Many ask for an address as fast as they are answered; gives the statuses they see."""
    over, statuses = threading.Event(), set[int]()

    def ask() -> None:
        with httpx.Client(headers=headers, timeout=HANG_SECONDS) as client:
            while not over.is_set():
                statuses.add(client.get(address).status_code)

    readers = [threading.Thread(target=ask) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        yield statuses
    finally:
        over.set()
        for reader in readers:
            reader.join()


def test_who_asks_after_a_commit_sees_it(server: WebServer, transactional_db: None, plain_user: User) -> None:
    User.objects.filter(pk=plain_user.pk).update(tier="premium")
    headers = {"Authorization": f"Bearer {open_session(plain_user)['token']}"}
    address = f"{server.http}/api/v1/products"
    apply(record("1", price=1))
    with asked_all_the_time(address, headers) as statuses, httpx.Client(headers=headers, timeout=HANG_SECONDS) as own:
        etag = own.get(address).headers["ETag"]
        for price in range(2, 2 + WRITES):
            assert own.get(address, headers={"If-None-Match": etag}).status_code == 304
            apply(record("1", price=price))
            answer = own.get(address, headers={"If-None-Match": etag})
            assert answer.status_code == 200
            assert answer.json()["data"]["items"][0]["price"] == price
            etag = answer.headers["ETag"]
    assert statuses == {200}
