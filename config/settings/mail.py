"""E-mail: one SMTP server, named by EMAIL_URL. Without one nothing is sent, and nothing pretends to be."""

import socket
from urllib.parse import unquote

from config.env import integer, server, text

_server = server("EMAIL_URL", {"smtp": 25, "smtps": 465}, options={"tls": ("starttls", "none")})

# Empty: no server. The framework's default would be this machine.
EMAIL_HOST = _server.host if _server else ""
EMAIL_PORT = _server.port if _server else 25
EMAIL_HOST_USER = unquote(_server.username) if _server else ""
EMAIL_HOST_PASSWORD = unquote(_server.password) if _server else ""
EMAIL_USE_SSL = _server is not None and _server.scheme == "smtps"
# Credentials do not travel in the clear unless somebody says so.
EMAIL_USE_TLS = (
    _server is not None
    and _server.scheme == "smtp"
    and _server.options.get("tls", "starttls" if _server.username else "none") == "starttls"
)
EMAIL_TIMEOUT = integer("EMAIL_TIMEOUT_SECONDS", 20, minimum=1, maximum=60)
DEFAULT_FROM_EMAIL = text(
    "EMAIL_FROM", EMAIL_HOST_USER if "@" in EMAIL_HOST_USER else f"1688sync@{socket.gethostname()}"
)
