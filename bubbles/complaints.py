"""Why pip, npm or venv ended badly, found in what they said, and what to do about it.

Needs nothing but Python: it is read before anything is installed.
"""

import re

CAUSES = (
    (
        r"ensurepip is not available|No module named '?(?:venv|ensurepip)\b",
        "This Python lacks its venv module: install it (Debian, Ubuntu: sudo apt install python3-venv)",
    ),
    (
        r"No module named '?pip\b",
        "This Python lacks pip: install it (python -m ensurepip; uv pip install pip)",
    ),
    (
        r"DO NOT MATCH THE HASHES|EINTEGRITY",
        "What came is not what is pinned: find out which mirror or cache gives something else"
        " (pip cache purge and npm cache clean --force empty yours)",
    ),
    (
        r"No space left on device|ENOSPC|Disk quota exceeded|EDQUOT",
        "No space is left on a disk: make room in this folder, in your home and in the temporary folder"
        " (2 GiB are enough; TMPDIR=FOLDER names another temporary folder)",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|problem confirming the ssl certificate|TLS CA certificate bundle"
        r"|SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT)"
        r"|self[- ]signed certificate|unable to (?:verify the first certificate|get (?:local )?issuer certificate)",
        "A proxy or registry shows a certificate that is not known here: name the file that holds its authority,"
        " with export PIP_CERT=FILE SSL_CERT_FILE=FILE NODE_EXTRA_CA_CERTS=FILE",
    ),
    (
        r"Proxy Authentication Required|Tunnel connection failed|ProxyError|ERR_INVALID_PROXY",
        "The proxy does not pass on what is asked for: see that HTTPS_PROXY names it, with the password that it wants",
    ),
    (
        r"NewConnectionError|NameResolutionError|Name or service not known|Temporary failure in name resolution"
        r"|Network is unreachable|Connection refused|Connection reset|RemoteDisconnected|IncompleteRead|[Tt]imed out"
        r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|SOCKET_TIMEOUT"
        r"|socket hang up",
        "A package registry cannot be reached: check the network (behind a proxy, name it in HTTPS_PROXY)",
    ),
    (
        r"No matching distribution found|ETARGET|\bE404\b",
        "The registry lacks a package that is pinned, or has none for this machine: check the network, PIP_INDEX_URL"
        " and npm's registry, and that this is Linux with glibc on x86-64 or aarch64",
    ),
    (
        r"Permission denied|EACCES|\bEPERM\b|Read-only file system|EROFS",
        "A file cannot be written: run make as the account that this folder and its .venv and .cache belong to",
    ),
    (
        r"JavaScript heap out of memory|MemoryError|Cannot allocate memory|ENOMEM",
        "The memory does not suffice: end other programs or add swap",
    ),
)
"""A pattern of what is said, and the cause with what to do, without a full stop. The first that fits counts."""


def cause(said: str) -> str | None:
    """Why it failed and what to do, without a full stop; None when nothing that is known was said."""
    return next((told for pattern, told in CAUSES if re.search(pattern, said)), None)
