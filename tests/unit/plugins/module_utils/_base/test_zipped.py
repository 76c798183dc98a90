# Copyright: (c) 2026, the mailops.smtp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports from the archive of a module."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._base import zipped

SCRIPT = """
import json, os, sys
compiled = []
sys.addaudithook(lambda event, given: compiled.append(os.path.basename(given[1])) if event == "compile" else None)
sys.path.insert(0, sys.argv[1])
from house import zipped
from house import empty
from house.rooms import kitchen
from garden import tree
import outside
missing = []
for name in ("house.cellar", "house.rooms.bath", "street"):
    try:
        __import__(name)
    except ImportError as error:
        missing.append(error.name)
files = [os.path.relpath(module.__file__, sys.argv[1]) for module in (kitchen, sys.modules["house.rooms"], tree)]
print(json.dumps({"compiled": compiled, "missing": missing, "files": files, "said": [kitchen.SAYS, tree.SAYS],
                  "outside": outside.SAYS}))
"""


def test_each_source_of_the_archive_is_compiled_once(tmp_path: Path) -> None:
    archive = tmp_path / "payload.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for place, source in {
            "house/__init__.py": "",
            "house/zipped.py": Path(zipped.__file__).read_text(),
            "house/empty.py": "",
            "house/rooms/__init__.py": "",
            "house/rooms/kitchen.py": "from .. import empty\nSAYS = 'kitchen'",
            "garden/__init__.py": "",
            "garden/tree.py": "SAYS = __spec__.loader.get_source(__name__)[:4]",
        }.items():
            made.writestr(place, source)
    (tmp_path / "outside.py").write_text("SAYS = 'outside'")
    done = subprocess.run(
        [sys.executable, "-B", "-c", SCRIPT, str(archive)],
        env={"PYTHONPATH": str(tmp_path)}, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    after = ["empty.py", "kitchen.py", "tree.py"]
    assert [told["compiled"].count(name) for name in after] == [1, 1, 1]
    assert told["missing"] == ["house.cellar", "house.rooms.bath", "street"]
    assert told["files"] == ["house/rooms/kitchen.py", "house/rooms/__init__.py", "garden/tree.py"]
    assert told["said"] == ["kitchen", "SAYS"]
    assert told["outside"] == "outside"


def test_nothing_happens_to_sources_in_files() -> None:
    assert not [hook for hook in sys.path_hooks if getattr(hook, "__module__", "") == zipped.__name__]
