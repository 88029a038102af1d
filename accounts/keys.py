"""API keys: `s1688_<prefix>_<secret><checksum>`. What is stored of a key is its prefix and the digest of the whole.

The digest is plain SHA-256: a secret of 190 random bits cannot be found by trying, so a slow or keyed hash would add
nothing against somebody who reads the table, and one keyed by SECRET_KEY would make everybody's keys worthless with the
next change of that. The checksum tells a mistyped or cut key, and lets scanners of code and logs name a real one,
without a look at the database.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

import msgspec

BRAND = "s1688"
PREFIX_LENGTH = 8
# 32 characters of 62 hold 190 bits.
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6
PREFIX_ALPHABET = string.ascii_lowercase + string.digits
ALPHABET = string.digits + string.ascii_letters

_FORM = re.compile(
    rf"{BRAND}_(?P<prefix>[a-z0-9]{{{PREFIX_LENGTH}}})_[0-9a-zA-Z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}", re.ASCII
)


class NewSecret(msgspec.Struct, frozen=True):
    """A key just made: the whole of it, for its owner's eyes, and what is stored."""

    key: str
    prefix: str
    digest: str


def new_secret() -> NewSecret:
    """Make a key nobody had before."""
    prefix = _random(PREFIX_ALPHABET, PREFIX_LENGTH)
    body = f"{BRAND}_{prefix}_{_random(ALPHABET, SECRET_LENGTH)}"
    key = body + checksum(body)
    return NewSecret(key=key, prefix=prefix, digest=digest(key))


def prefix_of(raw: str) -> str | None:
    """The prefix of something that has the form of a key and its right checksum; None for anything else."""
    found = _FORM.fullmatch(raw)
    if found is None or checksum(raw[:-CHECKSUM_LENGTH]) != raw[-CHECKSUM_LENGTH:]:
        return None
    return found["prefix"]


def digest(raw: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(raw.encode()).hexdigest()


def matches(raw: str, stored: str) -> bool:
    """Whether this key is the one whose digest is stored; takes the same time whatever differs."""
    return hmac.compare_digest(digest(raw), stored)


def masked(prefix: str) -> str:
    """How lists show a key."""
    return f"{BRAND}_{prefix}_…"


def checksum(body: str) -> str:
    """The CRC-32 of everything before it, in six characters."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
