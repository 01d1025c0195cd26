"""Sets one document: a template and its data come by standard input as JSON, the file leaves by standard output.

Run alone, for one document: what the typesetter keeps in memory of a print run's codes ends with the process, which
also may not write a core file. It needs no network, no environment and none of our other modules.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import typst
from noto_cjk_sans_otc import FONT_PATH

CPU_SECONDS = 120
MEMORY = 3 << 30  # bytes; two thousand sheets take 0.6 GB


def main() -> None:
    """Set the document, or say in one line what is wrong with the template (never with the data)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    job = json.load(sys.stdin.buffer)
    template: bytes = Path(__file__).with_name(job["template"]).read_bytes()
    fonts: list[Any] = [str(Path(str(FONT_PATH)).parent)]  # typst's types want these of the template's own type
    made: Any = typst.compile(  # bytes, or a list of them for pictures of several pages
        template,
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(job["data"])},
        format=job["format"],
        ppi=job["ppi"],
        pdf_tags=False,  # for paper; tags double the file and the time
    )
    pages = made if isinstance(made, list) else [made]
    for page in pages:
        sys.stdout.buffer.write(len(page).to_bytes(8, "big") + page)


if __name__ == "__main__":
    main()
