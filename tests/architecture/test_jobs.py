"""Every kind of background job says whether it may be begun again, and has been killed in the middle of its work."""

from pathlib import Path

from xiezhi.foundation.jobs import handlers

ROOT = Path(__file__).parents[2]
KILLED = {
    "imports.check": "tests/foundation/imports/test_killed.py",
    "imports.apply": "tests/foundation/imports/test_killed.py",
    "inspections.plan_round": "tests/domains/inspections/test_round_killed.py",
    "inspections.file_plan": "tests/domains/inspections/test_jobs_killed.py",
    "inspections.place_urgent": "tests/domains/inspections/test_jobs_killed.py",
    "complaints.train": "tests/domains/complaints/test_jobs_killed.py",
    "complaints.keys": "tests/domains/complaints/test_jobs_killed.py",
    "privacy.reseal": "tests/foundation/privacy/test_reseal_killed.py",
}
"""Where a worker is killed while it does such a job, and another one takes it over."""
ONLY_ONCE: dict[str, str] = {}
"""What is not begun again after its worker died, and why; people are told to look what became of it."""


def test_every_kind_of_job_is_killed_somewhere() -> None:
    assert set(handlers._handlers) == set(KILLED)
    for kind, path in KILLED.items():
        assert "kill_in_the_middle(" in (ROOT / path).read_text("utf-8"), kind


def test_every_kind_may_be_begun_again_unless_said_here() -> None:
    assert {kind for kind in handlers._handlers if not handlers.repeatable(kind)} == set(ONLY_ONCE)
