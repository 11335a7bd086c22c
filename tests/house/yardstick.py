"""Sizes, names and habits that are easy to lose sight of, measured on the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 50
NESTING = 4
VAGUE = re.compile(r"(^|_)(utils?|helpers?|common|base|managers?|misc)($|_)")
SIMULATED = re.compile(r"simulat|hw_?sim|(^|_)(is_)?(sim|fake|mock|dry_run)($|_)", re.IGNORECASE)

# File -> why it may be longer. An entry that is not needed any more fails too.
LONGER: dict[str, str] = {}

_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def findings(root: Path, folders: tuple[str, ...]) -> Iterator[str]:
    """One line for each thing that exceeds the yardstick below these folders."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root)
            if VAGUE.search(path.stem) or any(VAGUE.search(part) for part in name.parts[:-1]):
                yield f"{name}: a name that says nothing"
            text = path.read_text(encoding="utf-8")
            yield from (f"{name}:{finding}" for finding in measure(text))
            if folder == "vendd":
                yield from (f"{name}:{finding}" for finding in _simulated(text))


def measure(text: str) -> Iterator[str]:
    """Findings of one source file: ``line: what``."""
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"1: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _FUNCTIONS):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {length} lines"
            depth = _depth(node.body)
            if depth > NESTING:
                yield f"{node.lineno}: {node.name} is nested {depth} deep"
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and VAGUE.search(_snake(node.name)):
            yield f"{node.lineno}: {node.name} says nothing"


def _depth(body: list[ast.stmt]) -> int:
    """How many blocks stand inside each other; `elif` counts as its `if`."""
    deepest = 0
    for statement in body:
        if not isinstance(statement, _BLOCKS):
            continue
        inner = 0
        for block in _inner(statement):
            chained = isinstance(statement, ast.If) and _is_elif(statement, block)
            inner = max(inner, _depth(block) - chained)
        deepest = max(deepest, 1 + inner)
    return deepest


def _inner(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for handler in getattr(statement, "handlers", []):
        yield handler.body
    for case in getattr(statement, "cases", []):
        yield case.body


def _is_elif(statement: ast.If, block: list[ast.stmt]) -> bool:
    return block is statement.orelse and len(block) == 1 and isinstance(block[0], ast.If)


def _simulated(text: str) -> Iterator[str]:
    """Conditions that ask whether the machine is a simulated one."""
    for node in ast.walk(ast.parse(text)):
        test = getattr(node, "test", None) or getattr(node, "subject", None)
        for inner in ast.walk(test) if test is not None else ():
            word = getattr(inner, "id", None) or getattr(inner, "attr", None)
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                word = inner.value
            if isinstance(word, str) and SIMULATED.search(word):
                yield f"{getattr(node, 'lineno', 0)}: asks whether it is simulated ({word})"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
