"""The demo district (演示区): invented firms on real street names, one quarter of plans, made as the files that a user would upload.

Deterministic for a seed and a first day. Every code has valid check digits under the unassigned region 110199; every firm is named 示例;
every legal basis reads 演示依据. Loaded through the same imports and services as anybody's own data.
"""
