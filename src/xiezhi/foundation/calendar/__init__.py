"""Working days (工作日), with make-up days (调休)."""
