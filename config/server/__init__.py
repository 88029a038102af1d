"""The web server: HTTP on event loops with few threads behind them, WebSockets in a process of their own."""
