"""Encryption of stored credentials (Fernet: AES-128-CBC with HMAC-SHA256)."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """The value was encrypted with a key that CREDENTIALS_KEYS no longer holds."""


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIALS_KEYS])


def encrypt(plain: bytes) -> bytes:
    """Encrypt with the newest key."""
    return _fernet().encrypt(plain)


def decrypt(encrypted: bytes) -> bytes:
    """Decrypt with whichever key fits.

    Raises:
        CannotDecrypt: none fits.
    """
    try:
        return _fernet().decrypt(encrypted)
    except InvalidToken:
        raise CannotDecrypt("A stored credential cannot be read with CREDENTIALS_KEYS.") from None
