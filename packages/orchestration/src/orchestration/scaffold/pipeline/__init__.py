"""A pipeline of SQL steps by month, from the templates of this folder."""

from __future__ import annotations

from importlib.resources import files as resources

from orchestration import pipelines

_TARGETS = {
    "pipeline.toml": "{home}/pipeline.toml",
    "load_month.sql": "{home}/sql/load_month.sql",
    "state_machine.asl.yaml": "{home}/state_machine.asl.yaml",
    "stack.yaml": "{home}/stack.yaml",
    "test.py.txt": "tests/test_{folder}.py",
}


def fill(name: str) -> dict[str, bytes]:
    """Return the files of a pipeline called `name`, by their path in the checkout."""
    folder = name.replace("-", "_")
    home = f"packages/orchestration/src/orchestration/pipelines/{folder}"
    words = {"@name@": name, "@folder@": folder, "@Camel@": pipelines.camel(name)}
    filled = {}
    for template, target in _TARGETS.items():
        text = resources(__name__).joinpath(template).read_text(encoding="utf-8")
        for word, stands_for in words.items():
            text = text.replace(word, stands_for)
        filled[target.format(home=home, folder=folder)] = text.encode()
    return filled
