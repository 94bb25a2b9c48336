"""The product's settings with the few things a test run needs changed, and nothing that alters behaviour."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# One folder for the whole run, made by the first process and inherited by pytest-xdist's workers.
if "XIEZHI_TEST_FOLDER" not in os.environ:
    os.environ["XIEZHI_TEST_FOLDER"] = tempfile.mkdtemp(prefix="xiezhi-test-")
    atexit.register(shutil.rmtree, os.environ["XIEZHI_TEST_FOLDER"], ignore_errors=True)
_folder = Path(os.environ["XIEZHI_TEST_FOLDER"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
_folder.mkdir(exist_ok=True)
(_folder / "static").mkdir(exist_ok=True)  # WhiteNoise warns where there is none
os.environ["XIEZHI_DATA"] = str(_folder)

from xiezhi.config.settings import *  # noqa: E402, F403
from xiezhi.config.settings import DATABASES  # noqa: E402

# PBKDF2 is slow on purpose; a suite that logs in hundreds of times need not be.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The suite signs people in without a telephone at hand; the tests that are about second factors ask for them.
SECOND_FACTOR = "nobody"

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in production, so that threads and other processes can share it; it need not survive power loss.
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}
    DATABASES["default"].setdefault("OPTIONS", {})
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        DATABASES["default"]["OPTIONS"].get("init_command", "") + " PRAGMA synchronous=OFF;"
    )
