"""Whether a user agent names a program: the patterns of crawlerdetect, searched by RE2.

What is searched is a stranger's text. RE2 reads it once, whatever it holds; Python's own engine would try a thousand
patterns at each of its characters: 8 ms for 256 of them.
"""

import re

import re2
from crawlerdetect.providers import crawlers, exclusions

AGENT_MAX = 256
"""Characters of a user agent that are looked at; what comes behind them tells nobody apart."""

MEMORY_MAX_BYTES = 32 * 1024 * 1024
"""What RE2 may remember of what it has read. With too little it forgets in mid-text, and goes on slowly."""


def is_crawler(agent: str) -> bool:
    """Whether the first `AGENT_MAX` characters name a program, once the names of browsers are taken out of them."""
    left = _BROWSERS.sub("", agent[:AGENT_MAX])
    return bool(_CRAWLERS.search(left)) or any(pattern.search(left) for pattern in _BEYOND_RE2)


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.log_errors = False
    options.max_mem = MEMORY_MAX_BYTES
    return options


def _is_known_to_re2(pattern: str) -> bool:
    try:
        re2.compile(pattern, _options())
    except re2.error:
        return False
    return True


_PATTERNS = [(pattern, _is_known_to_re2(pattern)) for pattern in crawlers.data]
_CRAWLERS = re2.compile("|".join(pattern for pattern, known in _PATTERNS if known), _options())
_BROWSERS = re.compile("|".join(exclusions.data), re.IGNORECASE)
"""Few, and each begins with a text of its own: quicker than RE2, which comes back to Python for each name found."""

_BEYOND_RE2 = [re.compile(pattern, re.IGNORECASE) for pattern, known in _PATTERNS if not known]
"""Those that look ahead: one, of a fixed text."""
