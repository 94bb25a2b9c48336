"""Sampling (双随机抽取): draws that anyone can repeat with a pencil, a hash tool and the published seed.

Algorithm, version 1. Given a seed and the frame (抽样框: a set of identifiers):

1. each identifier's *ticket* is the SHA-256 of the UTF-8 text ``seed:identifier``, in hexadecimal;
2. the identifiers that are not excluded are sorted by ticket (then by identifier);
3. the first n are drawn. n is a number, or a ratio of the whole frame rounded up, at least 1 where the ratio is above 0.

So ``printf '%s' 'SEED:ID' | sha256sum`` and a sort repeat a draw without our code or any generator. Two draws with one seed are
not independent: give each draw a seed of its own. A stratum (a credit class) draws with the seed ``seed/stratum``.
"""

from xiezhi.engines.sampling.drawing import Draw, draw, draw_by_class, frame_digest, sample_size, ticket

__all__ = ["Draw", "draw", "draw_by_class", "frame_digest", "sample_size", "ticket"]
