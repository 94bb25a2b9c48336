"""Every write of this room: accounts and posts (`posts`), 临时授权 (`elevations`), 交接 (`handover`)."""

from xiezhi.foundation.access.services.posts import actor_for, appoint, end_membership, found_district, open_account

__all__ = ["actor_for", "appoint", "end_membership", "found_district", "open_account"]
