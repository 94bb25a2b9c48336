"""Audit (审计): append-only and hash-chained without a global lock.

Services add entries inside their own transaction; one sealer (the ticker) gives committed entries their sequence number and hash in a
row of their own, so that nothing is ever updated; triggers refuse UPDATE and DELETE in both tables. No personal data in payloads.
"""
