"""Start a simulator from a test, talk to it, stop it.

    with running_gateway(products=2000, seed=1) as gateway:
        gateway.url, gateway.app_key, gateway.app_secret, gateway.access_token, gateway.refresh_token
        gateway.control("mutate", share=0.05)                                # /_control/mutate?share=0.05
        gateway.faults({"kind": "http_500", "api": "alibaba.product.list.get", "every": 3})
        gateway.call("alibaba.product.list.get", pageNo="1", needDetail="true").json()   # signed, with token

The simulator is a child process on a free port of 127.0.0.1; it ends with the `with` block, and also when the
starting process dies.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from devstack import processes

from .auth import SIGNATURE, signature
from .handlers import APIS
from .server import READY
from .state import Settings

_ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 30
_CALL_SECONDS = 300
_NAMESPACES = {api.name: api.namespace for api in APIS}
_PRODUCT_NAMESPACE = "com.alibaba.product"


class ControlError(RuntimeError):
    """The control plane refused a call."""


class GatewayClient:
    """One running simulator. `app_key`, `app_secret` and the tokens are the ones it accepts from the start."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=_CALL_SECONDS, trust_env=False)
        state = self.control("state")
        self.app_key: str = state["app_key"]
        self.app_secret: str = state["app_secret"]
        self.access_token: str = state["access_token"]
        self.refresh_token: str = state["refresh_token"]
        self.message_url: str = state["message_url"]

    def close(self) -> None:
        """Closes the connection; the simulator runs on."""
        self._http.close()

    def control(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Calls `/_control/<command>`; arguments are JSON values. Raises ControlError with the reason."""
        return self._controlled("POST" if arguments else "GET", command, arguments or None)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Adds fault rules; see `devstack.gateway.faults.Rule`. `control("reset")` or `clear_faults` ends them."""
        self._controlled("POST", "faults", list(rules))

    def clear_faults(self) -> None:
        """Ends all fault rules."""
        self._controlled("DELETE", "faults", None)

    def _controlled(self, method: str, command: str, body: object) -> dict[str, Any]:
        response = self._http.request(method, f"/_control/{command}", json=body)
        answer: dict[str, Any] = response.json()
        if response.is_error:
            raise ControlError(answer["error"])
        return answer

    def call(self, api: str, **params: str) -> httpx.Response:
        """A signed API call as a well-behaved client makes it.

        Sends the first access token unless `params` has another; an empty one sends none.
        """
        token = params.pop("access_token", self.access_token)
        if token:
            params["access_token"] = token
        path = f"param2/1/{_NAMESPACES.get(api, _PRODUCT_NAMESPACE)}/{api}/{self.app_key}"
        return self.send(path, params | {SIGNATURE: signature(self.app_secret, path, params)})

    def send(self, path: str, params: dict[str, str], *, method: str = "POST") -> httpx.Response:
        """A call exactly as given; `path` begins with the protocol, such as `param2/1/…`."""
        place = {"data": params} if method == "POST" else {"params": params}
        return self._http.request(method, f"/openapi/{path}", **place)  # type: ignore[arg-type]


@contextmanager
def running_gateway(
    products: int = Settings.products, seed: int = Settings.seed, *, options: Sequence[str] = ()
) -> Iterator[GatewayClient]:
    """A simulator in a child process; `options` are further command-line options such as `--qps=5`.

    Raises RuntimeError when it does not start.
    """
    command = [sys.executable, "-m", "devstack.gateway", f"--products={products}", f"--seed={seed}"]
    command += ["--until-stdin-ends", *options]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            with closing(GatewayClient(_ready_url(child))) as client:
                yield client
        finally:
            processes.stop(child, signal.SIGTERM, _STOP_SECONDS)


def _ready_url(child: subprocess.Popen[str]) -> str:
    line = child.stdout.readline() if child.stdout else ""
    if not line.startswith(READY):
        raise RuntimeError(f"the gateway simulator did not start, exit code {child.wait(_STOP_SECONDS)}")
    return line.split()[-1]
