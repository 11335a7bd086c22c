"""The sample machines as text, to be spoiled by tests."""

from pathlib import Path

_CONFIG = Path(__file__).parents[2] / "config"
SNACK = (_CONFIG / "snack-4x6.toml").read_text()
SMALL = (_CONFIG / "small-6.toml").read_text()


def written(folder: Path, text: str) -> Path:
    """The path of a configuration with this text."""
    path = folder / "vendd.toml"
    path.write_text(text)
    return path


def changed(text: str, old: str, new: str) -> str:
    """One place changed; it must be there."""
    assert old in text, old
    return text.replace(old, new, 1)
