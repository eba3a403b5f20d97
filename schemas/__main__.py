"""`python -m schemas` writes the JSON Schemas into `schemas/json/`."""

from pathlib import Path

from schemas.documents import documents


def main() -> None:
    """Write every document anew."""
    folder = Path(__file__).parent / "json"
    folder.mkdir(exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
