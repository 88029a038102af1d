"""What a process remembers stays bounded."""

from time import monotonic

from accounts.authentication.memory import Memory


def test_the_oldest_makes_room_for_the_newest() -> None:
    memory: Memory[int, int] = Memory(3)
    for number in range(5):
        memory.keep(number, number, monotonic())
    assert len(memory) == 3
    assert [memory.recall(number, 5) for number in range(5)] == [None, None, 2, 3, 4]


def test_what_is_too_old_is_not_remembered() -> None:
    memory: Memory[str, int] = Memory(3)
    memory.keep("old", 1, monotonic() - 6)
    assert memory.recall("old", 5) is None
    assert memory.recall("old", 10) == 1


def test_forgetting_takes_what_is_named() -> None:
    memory: Memory[str, int] = Memory(3)
    for name, value in (("a", 1), ("b", 2)):
        memory.keep(name, value, monotonic())
    memory.forget(lambda _name, value: value == 1)
    assert (memory.recall("a", 5), memory.recall("b", 5)) == (None, 2)
