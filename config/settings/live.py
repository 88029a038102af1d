"""The web process: its threads and limits, and WebSockets. One hub per process broadcasts live status."""

from config.env import integer, words
from config.settings.data import REDIS_LIVE_URL

# Database connections: processes x (threads + 1 for health), and 2 of the WebSocket process.
WEB_THREADS = integer("WEB_THREADS", 2, minimum=1, maximum=64)
# Requests in work or waiting, per process; more are told to come back: who would wait longer has given up by then.
WEB_MAX_IN_FLIGHT = integer("WEB_MAX_IN_FLIGHT", 1_000, minimum=1)
WEB_MAX_HEALTH_IN_FLIGHT = 100
WEB_HEAD_SECONDS = integer("WEB_HEAD_SECONDS", 10, minimum=1)
WEB_BODY_SECONDS = integer("WEB_BODY_SECONDS", 60, minimum=1)

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # redis-py's 5 s socket timeout equals the layer's own blocking read and would close idle sockets.
            "hosts": [
                {
                    "address": REDIS_LIVE_URL,
                    "socket_timeout": None,
                    "socket_connect_timeout": 3,
                    "socket_keepalive": True,
                    "health_check_interval": 25,
                }
            ],
            "capacity": 200,
            "expiry": 30,
        },
    }
}

# Full origins (scheme://host:port) whose pages may open a WebSocket.
WS_ALLOWED_ORIGINS = words("WS_ALLOWED_ORIGINS", "http://127.0.0.1:8000,http://localhost:8000")
WS_MAX_AGE_SECONDS = integer("WS_MAX_AGE_SECONDS", 12 * 3600, minimum=1)
# How often an open socket's user and token are looked at again.
WS_RECHECK_SECONDS = integer("WS_RECHECK_SECONDS", 25, minimum=1, maximum=30)
WS_SNAPSHOT_SECONDS = integer("WS_SNAPSHOT_SECONDS", 20, minimum=1)
WS_SEND_SECONDS = integer("WS_SEND_SECONDS", 25, minimum=1)
WS_OUTBOX_FRAMES = integer("WS_OUTBOX_FRAMES", 100, minimum=1)
WS_MAX_INBOUND_BYTES = 4096
WS_INBOUND_MESSAGES, WS_INBOUND_SECONDS = 20, 10
WS_STRIKES = 3

LIVE_PROGRESS_PER_SECOND = 4
LIVE_HISTORY_EVENTS = integer("LIVE_HISTORY_EVENTS", 1000, minimum=1)
LIVE_HISTORY_SECONDS = 24 * 3600
