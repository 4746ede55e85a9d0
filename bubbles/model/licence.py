"""Licences: what others may do with a bubble."""

from enum import StrEnum


class Licence(StrEnum):
    """What an author allows; by SPDX's names where there is one."""

    ALL_RIGHTS_RESERVED = "all-rights-reserved"
    CC_BY = "CC-BY-4.0"
    CC_BY_SA = "CC-BY-SA-4.0"
    CC_BY_NC = "CC-BY-NC-4.0"
    CC0 = "CC0-1.0"

    @property
    def url(self) -> str | None:
        """Where the licence is written; None where nothing is allowed."""
        return _URLS.get(self)

    @property
    def short(self) -> str | None:
        """What the licence is called in every language, `CC BY 4.0`; None where nothing is allowed."""
        return _SHORT.get(self)


_URLS = {
    Licence.CC_BY: "https://creativecommons.org/licenses/by/4.0/",
    Licence.CC_BY_SA: "https://creativecommons.org/licenses/by-sa/4.0/",
    Licence.CC_BY_NC: "https://creativecommons.org/licenses/by-nc/4.0/",
    Licence.CC0: "https://creativecommons.org/publicdomain/zero/1.0/",
}
_SHORT = {
    Licence.CC_BY: "CC BY 4.0",
    Licence.CC_BY_SA: "CC BY-SA 4.0",
    Licence.CC_BY_NC: "CC BY-NC 4.0",
    Licence.CC0: "CC0 1.0",
}
