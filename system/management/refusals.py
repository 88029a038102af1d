"""How a command says that a service refused."""

from system.errors import ApplicationError


def refusal(error: ApplicationError) -> str:
    """What is wrong, where, and what to do next, on as many lines."""
    lines = [f"{error.code}: {error.message}"]
    if isinstance(error.details, dict):
        lines += [f"  {name}: {_text(value)}" for name, value in error.details.items()]
    return "\n".join([*lines, str(error.suggestion)])


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
