"""Access (角色与任职): a person acts through one membership at a time: person × organisation × role × valid period.

Roles are readable classes listed in the module that `settings.XIEZHI_ROLES` names. There is no super user.
"""
