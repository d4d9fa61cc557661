"""How docstrings become Markdown: lists of arguments, and examples of the interpreter, keep their lines."""

import re

import griffe

_ARGUMENT = re.compile(r"^(?:\w+|\w+(?:, \w+)+): ")
_PROMPT = ">>> "


def to_markdown(text: str) -> str:
    """Lines `name: what it is`, with their continuations, become bullets; `>>>` examples become code.

    >>> print(to_markdown("One line.\\n\\nx: (N, 4)\\n    one-hot\\ny: (N,)"))
    One line.
    <BLANKLINE>
    - `x`: (N, 4)
        one-hot
    - `y`: (N,)
    <BLANKLINE>
    """
    lines: list[str] = []
    inside = ""
    for line in text.splitlines():
        if line.startswith(_PROMPT) and inside != "code":
            lines += [*[""] * (bool(lines) and lines[-1] != ""), "```pycon"]
            inside = "code"
        elif inside == "code" and not line.strip():
            lines.append("```")
            inside = ""
        elif inside != "code" and _ARGUMENT.match(line):
            name, _, rest = line.partition(": ")
            lines += [*[""] * (inside != "list" and bool(lines) and lines[-1] != "")]
            lines.append(f"- `{name}`: {plain(rest)}")
            inside = "list"
            continue
        elif inside == "list" and not line.startswith("    "):
            lines += [""] * bool(line.strip())
            inside = ""
        code = inside == "code" or (not inside and line.startswith("    "))
        lines.append(line if code else plain(line))
    return "\n".join([*lines, "```"] if inside == "code" else [*lines, ""])


def plain(line: str) -> str:
    r"""Escapes what Markdown would take for a link, emphasis or HTML, except between backticks.

    >>> print(plain("x[n][b] < `y[0]`"))
    x\[n\]\[b\] &lt; `y[0]`
    """
    parts = line.split("`")
    parts[::2] = [re.sub(r"([\[\]*_])", r"\\\1", p).replace("<", "&lt;") for p in parts[::2]]
    return "`".join(parts)


class Docstrings(griffe.Extension):
    """Applies `to_markdown` to every docstring that is rendered."""

    def on_instance(self, *, obj: griffe.Object, **kwargs) -> None:
        """Called by griffe for every module, class, function and attribute that it has read."""
        if obj.docstring:
            obj.docstring.value = to_markdown(obj.docstring.value)
