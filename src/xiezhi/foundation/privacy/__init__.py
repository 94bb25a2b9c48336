"""Personal data (个人信息保护): what of it there is, sealed where it lies, opened with a trace, gone when its time is over.

Words: a *holding* is one table's personal data, declared by the room that owns the table; an *opening* is somebody reading it in full;
a *request* (个人申请) is a person asking for a copy of what is held (个人信息保护法第四十五条) or for its erasure (第四十七条).

Invariants: every column that looks personal is on the map or said not to be, with a reason; a sealed column is never searched but by a
keyed digest; openings are only ever added; what a law or a running matter still needs is kept, and the report says why.
"""
