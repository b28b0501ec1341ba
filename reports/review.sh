#!/usr/bin/env bash
# Runs the notebook by the line in its first cell, as it stands there, in a virtual environment made anew. Fails where a cell
# fails, and where a text comes out that is not the one committed. With BLESS set what came out is committed instead, to be
# read in review.
set -euo pipefail
cd "$(dirname "$0")/.."
unset CTAUDIT_TABLES

line=$(python3 - <<'END'
import json
first, *_ = json.load(open("reports/review.ipynb"))["cells"]
# Indented by four, it is code in Markdown; there is just one.
(line,) = [each.strip() for each in first["source"] if each.startswith("    ")]
print(line)
END
)
echo "$line"
# The report is compared elsewhere.
bash -euc "$line" >/dev/null

python3 - <<'END'
import difflib, json, os, sys

def kept(path):
    """The notebook without what the moment and the machine left in it."""
    notebook = json.load(open(path))
    notebook["metadata"]["language_info"] = {"name": "python"}
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            cell["outputs"] = [each for each in cell["outputs"] if each.get("name") != "stderr"]
    return notebook

def texts(notebook):
    """What the cells printed and returned. Pictures may differ by a pixel from machine to machine."""
    for cell in notebook["cells"]:
        yield f"cell {cell['id']}"
        for output in cell.get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain", [])
            yield from "".join(text).splitlines()

committed, fresh = "reports/review.ipynb", kept("tables/review.ipynb")
if "BLESS" in os.environ:
    with open(committed, "w") as file:
        json.dump(fresh, file, indent=1, ensure_ascii=False)
        file.write("\n")
if json.load(open(committed)) != kept(committed):
    sys.exit(f"{committed} holds traces of a run: BLESS=1 reports/review.sh takes them out")
if different := list(difflib.unified_diff([*texts(kept(committed))], [*texts(fresh)], "committed", "now", lineterm="")):
    print(*different, sep="\n")
    sys.exit(f"{committed} is not what comes out now; to take it as it is: BLESS=1 reports/review.sh")
print(f"{committed}: every cell ran, and every text is the committed one")
END
