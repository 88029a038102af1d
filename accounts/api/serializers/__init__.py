"""Bodies of the auth and user routes."""
