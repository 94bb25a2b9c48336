"""Python runs this first in every process of a site whose clock a journey has moved: the processes are the real ones, only later.

(libfaketime would move the whole process, but its 0.9.10 breaks either sleeping or waiting in Python 3.11.)
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

time_machine.travel(
    datetime.now(UTC) + timedelta(seconds=int(os.environ["XIEZHI_TEST_CLOCK_SHIFT"])), tick=True
).start()
