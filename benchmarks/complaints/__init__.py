"""The complaint desk: labels and nearness of texts, and a district's cases under load (`python -m benchmarks.complaints`)."""
