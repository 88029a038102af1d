"""The terminal of commands."""

from rich.console import Console

# Piped output has no width of its own; a narrow guess would cut ids that people copy.
PIPED_WIDTH = 160


def terminal() -> Console:
    """A console as wide as the terminal, and wide enough where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)
