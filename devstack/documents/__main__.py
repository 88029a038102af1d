"""Write the documents that come from the code: `make docs`."""

import django

django.setup()

from devstack.documents import errors, readings, requirements, texts  # noqa: E402 (they need Django to be set up)


def main() -> None:
    """Write every document."""
    errors.TARGET.write_text(errors.render(), encoding="utf-8")
    requirements.TARGET.write_text(requirements.render(), encoding="utf-8")
    readings.write()
    messages = texts.update(texts.TARGET, texts.described())
    missing = [entry.msgid for entry in messages if not entry.msgstr]
    print(f"{len(missing)} texts of the API have no translation yet in {texts.TARGET}")


if __name__ == "__main__":
    main()
