"""`manage.py create_user` and `create_api_key`."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.authentication import authenticate_key
from accounts.models import ApiKey, User
from tests.conftest import PASSWORD


def run(name: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def typing(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    return typing


def test_a_user_is_made_with_the_piped_password(db: None, typed: Any) -> None:
    typed(f"{PASSWORD}\n")
    run("create_user", "newcomer", "new@example.com", "--role", "operator", "--tier", "premium")
    user = User.objects.get(username="newcomer")
    assert user.check_password(PASSWORD)
    assert (user.tier, user.is_staff) == ("premium", True)


@pytest.mark.parametrize(
    ("username", "password", "told"),
    [("newcomer", "short", "password"), ("a b", PASSWORD, "username"), ("admin", PASSWORD, "E04003")],
)
def test_a_refused_user_is_told_why(admin: User, typed: Any, username: str, password: str, told: str) -> None:
    typed(password)
    with pytest.raises(CommandError, match=told) as refused:
        run("create_user", username, "new@example.com")
    assert refused.value.returncode == 2


def test_a_key_is_printed_once_and_works(operator: User) -> None:
    key = run("create_api_key", "operator", "nightly", "--scope", "sync", "--days", "7", "--ip", "10.0.0.0/8")
    assert authenticate_key(key, "10.1.2.3").scopes == {"read", "sync"}
    made = ApiKey.objects.get()
    assert (made.name, (made.expires_at - made.created_at).days in {6, 7}) == ("nightly", True)


@pytest.mark.parametrize("arguments", [("nobody", "x"), ("operator", "x", "--scope", "admin")])
def test_a_refused_key_is_told_why(operator: User, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        run("create_api_key", *arguments)
    assert refused.value.returncode == 2
    assert not ApiKey.objects.exists()
