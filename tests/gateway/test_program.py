"""The simulator as a process: a million products, clean stops, odd HTTP."""

import signal
import socket
import subprocess
import sys
import tracemalloc

import httpx
import pytest

from devstack.gateway.catalogue import Catalogue
from devstack.gateway.client import GatewayClient, running_gateway
from devstack.gateway.live import LiveCatalogue
from devstack.gateway.revision import Kind
from devstack.gateway.wheel import Filter
from tests.conftest import HANG_SECONDS

from .conftest import ids_of, page

_COMMAND = [sys.executable, "-m", "devstack.gateway", "--products=5"]


def test_a_million_products_start_at_once_and_page_at_both_ends() -> None:
    with running_gateway(products=1_000_000) as gateway:
        first = ids_of(page(gateway, needDetail="true")["resultList"])
        last = ids_of(page(gateway, needDetail="true", pageNo="50000")["resultList"])
        assert len(first) == len(last) == 20
        assert first < last
        assert page(gateway, pageNo="50001")["resultList"] == []
        assert 5_000 < page(gateway, categoryId="1031910", pageNo="100")["totalRecords"] < 40_000
        changed = gateway.control("mutate", count=1000)
        assert page(gateway, startModifyTime=changed["modify_time"])["totalRecords"] == 1000


def test_a_million_products_with_changes_fit_in_a_few_megabytes() -> None:
    tracemalloc.start()
    try:
        live = LiveCatalogue(Catalogue(1, 1_000_000))
        live.mutate(live.choose(10_000), [Kind.PRICE], 0)
        assert len(live.listing(Filter(modified_to=0), by_modification=True)) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_the_management_command_serves_too() -> None:
    program = (
        "import django; from django.conf import settings; from django.core.management import call_command; "
        "settings.configure(INSTALLED_APPS=['devstack']); django.setup(); call_command('gateway1688', products=5)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        url = child.stdout.readline().split()[-1]
        assert httpx.get(f"{url}/_control/state", trust_env=False, timeout=HANG_SECONDS).json()["products"] == 5
        child.terminate()
        assert child.wait(HANG_SECONDS) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_even_with_open_connections(number: signal.Signals) -> None:
    with subprocess.Popen(_COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line.startswith("gateway ready http://127.0.0.1:")
        with httpx.Client(base_url=line.split()[-1], trust_env=False, timeout=HANG_SECONDS) as client:
            client.get("/_control/state")
            child.send_signal(number)
            assert child.wait(HANG_SECONDS) == 0
        assert child.stderr is not None
        assert child.stderr.read() == ""


def test_it_ends_when_its_parent_is_gone() -> None:
    with subprocess.Popen([*_COMMAND, "--until-stdin-ends"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        child.stdin.close()
        assert child.wait(HANG_SECONDS) == 0


def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [*_COMMAND, f"--port={taken.getsockname()[1]}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=HANG_SECONDS, check=False)
    assert done.returncode != 0
    assert "address already in use" in done.stderr


def _raw(gateway: GatewayClient, request: bytes) -> bytes:
    port = int(gateway.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS) as connection:
        connection.sendall(request)
        received = b""
        while part := connection.recv(65_536):
            received += part
        return received


def test_pipelined_requests_are_answered_in_order(gateway: GatewayClient) -> None:
    gateway.faults({"kind": "slow", "seconds": 0.1, "api": "currentTime"})
    slow = b"GET /openapi/param2/1/system/currentTime/1000000 HTTP/1.1\r\nHost: x\r\n\r\n"
    quick = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = _raw(gateway, slow + quick)
    assert answer.index(b"gw.SignatureMissing") < answer.index(b"not found")


def test_nonsense_is_a_bad_request(gateway: GatewayClient) -> None:
    assert _raw(gateway, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400")
