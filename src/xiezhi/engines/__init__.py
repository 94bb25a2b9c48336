"""Pure computation: no Django, no clock, no I/O beyond what a command line needs, no global randomness."""
