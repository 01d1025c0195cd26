"""A second opinion on a questionnaire: ODK Validate, the engine of ODK Collect, where this machine has Java.

Never required: what the product asks and accepts is decided by `survey_forms.forms`. The jar comes with pyxform.
"""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from pyxform.validators.error_cleaner import ErrorCleaner
from pyxform.validators.odk_validate import ODK_VALIDATE_PATH

from survey_forms.refusal import Fault

SECONDS = 60
_LONGEST = 400


def is_there() -> bool:
    """Whether this machine can be asked."""
    return shutil.which("java") is not None and Path(ODK_VALIDATE_PATH).is_file()


def second_opinion(xform: bytes) -> Fault | None:
    """What ODK Validate has against an XForm; None when it has nothing, or cannot be asked."""
    java = shutil.which("java")
    if java is None or not is_there():
        return None
    with TemporaryDirectory(prefix="mingcha-odk-") as place:
        file = Path(place, "form.xml")
        file.write_bytes(xform)
        command = [java, "-Xmx512m", "-Djava.awt.headless=true", "-jar", ODK_VALIDATE_PATH, str(file)]
        try:
            # The command is ours; the form is only read, by a program without the network's help.
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, cwd=place)  # noqa: S603
        except subprocess.TimeoutExpired:
            return Fault("odk_validate_silent", facts={"seconds": SECONDS})
    if done.returncode == 0:
        return None
    said = ErrorCleaner.odk_validate(done.stderr.decode(errors="replace"))
    words = " ".join(str(said).replace(str(file), "").split())
    return Fault("odk_validate", facts={"message": words[:_LONGEST]})
