"""Signatures of the 1688 open platform: pure functions of their arguments."""

import hmac
from collections.abc import Mapping
from hashlib import md5, sha1

SIGNATURE = "_aop_signature"


def sign(path: str, params: Mapping[str, str], secret: str) -> str:
    """Upper-case hex HMAC-SHA1 of the path and all parameters (1688 open platform, signature rules).

    `path` is `param2/{version}/{namespace}/{apiName}/{appKey}`, or "" for a push callback. The values are the raw
    ones, not url-encoded; a signature among them takes no part. The concatenated `key + value` strings are sorted by
    code point: sorting the keys gives another order when one key begins another.
    """
    pairs = sorted(key + value for key, value in params.items() if key != SIGNATURE)
    message = path + "".join(pairs)
    return hmac.new(secret.encode(), message.encode(), sha1).hexdigest().upper()


def sign_message_channel(app_key: str, secret: str, pub_time: int) -> str:
    """Upper-case hex MD5 that opens the message WebSocket; `pub_time` in milliseconds since 1970."""
    return md5(f"{secret}{app_key}{pub_time}".encode(), usedforsecurity=False).hexdigest().upper()
