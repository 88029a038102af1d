"""Log filters and the JSON formatter."""
import logging
from pythonjsonlogger.json import JsonFormatter
class ContextFilter(logging.Filter): pass
class RedactFilter(logging.Filter): pass
