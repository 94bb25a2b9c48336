from xiezhi.domains.prepaid.queries.verification import verify_books
from xiezhi.foundation.keeping.proofs import Outcome


def prove_books() -> Outcome:
    """Every digest, sequence and balance of the ledger, recomputed: `xiezhi ledger verify` among the other proofs."""
    report = verify_books()
    return Outcome(f"{report.books} books, {report.entries} entries", tuple(str(fault) for fault in report.faults))
