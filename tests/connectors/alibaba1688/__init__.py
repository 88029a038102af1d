"""The connector of the 1688 open platform, and the HTTP client under it."""
