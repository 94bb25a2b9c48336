"""The register holds firms and places. Their addresses are public facts of registration."""

from xiezhi.foundation.privacy.holdings import not_personal

not_personal(
    {
        "registry.premises.address": "经营场所的登记地址，依法公示",
        "registry.pendingmatch.address": "待匹配的经营场所地址",
    }
)
