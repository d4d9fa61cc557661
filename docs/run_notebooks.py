"""Run the notebooks, and store what they print: python docs/run_notebooks.py [NOTEBOOK...]

Only text is stored, without counters or times, so that a run changes a notebook only where its results change.
"""

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_output

FOLDER = Path(__file__).with_name("notebooks")


def run(path: Path, folder: Path) -> NotebookNode:
    """The notebook with the outputs of a run in `folder`; raises CellExecutionError where a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute()
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.execution_count = None
            text = "".join(map(printed, cell.outputs)).replace("\r\n", "\n")
            cell.outputs = [new_output("stream", text=text)] if text else []
    return notebook


def printed(output: NotebookNode) -> str:
    """The text of an output; nothing of what went to stderr."""
    if output.get("name") == "stderr":
        return ""
    return output.get("text") or output.get("data", {}).get("text/plain", "")


def main(paths: list[str]) -> None:
    """Run and rewrite the notebooks at `paths`, all of docs/notebooks without any."""
    for path in map(Path, paths or sorted(FOLDER.glob("*.ipynb"))):
        with tempfile.TemporaryDirectory() as folder:
            notebook = run(path, Path(folder))
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
