"""WebSockets: one hub per process broadcasts, the channel layer carries a few private messages."""

from config.env import words
from config.settings.data import REDIS_LIVE_URL

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
WS_MAX_AGE_SECONDS = 12 * 3600
WS_OUTBOX_FRAMES = 100
LIVE_PROGRESS_PER_SECOND = 4
LIVE_HISTORY_EVENTS = 1000
