"""YAML that somebody else wrote: texts, lists and mappings of texts, each key once.

bytes -> parse_yaml -> plain values, or ValueError in words
"""

from __future__ import annotations

from typing import Any


def parse_yaml(raw: bytes) -> Any:
    """Every value is a text, so that a revision of digits is no number; no tag is followed.

    Raises ValueError for a key that stands twice, and for what is no YAML.

    >>> parse_yaml(b"a: [1, yes]")
    {'a': ['1', 'yes']}
    """
    import yaml

    base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

    class Loader(base):
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            content = super().construct_mapping(node, deep)
            if len(content) < len(node.value):
                keys = [str(key.value) for key, _ in node.value]
                twice = next(key for key in keys if keys.count(key) > 1)
                raise ValueError(f"the key {twice[:80]!r} stands twice")
            return content

    try:
        return yaml.load(raw, Loader=Loader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from error
