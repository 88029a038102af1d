"""One gateway simulator for the tests of this folder, as new for each of them."""

from collections.abc import Iterator

import pytest

from devstack.gateway.client import GatewayClient as Simulator
from devstack.gateway.client import running_gateway
from tests.connectors.alibaba1688.support import opened

PRODUCTS = 45


@pytest.fixture(autouse=True)
def connectors_are_closed() -> Iterator[None]:
    """No test leaves sockets behind."""
    yield
    while opened:
        opened.pop().close()


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    """The process all tests share."""
    with running_gateway(products=PRODUCTS, seed=7) as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """A simulator with 45 products (three pages) that nobody has touched."""
    running_simulator.control("reset", products=PRODUCTS)
    return running_simulator
