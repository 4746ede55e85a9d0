"""What can go wrong, said once: every refusal has a stable code, its HTTP status and a sentence."""

import errno
from enum import StrEnum

EXHAUSTED = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
"""What the machine lacks, and may have again: room on a disk, open files."""

BUSY_RETRY_S = 5


class Code(StrEnum):
    """The stable codes of the contract. A program may branch on them; the sentence beside them may change."""

    BAD_REQUEST = "bad_request"
    UNAUTHORISED = "unauthorised"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    NOT_AUDIO = "not_audio"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    SILENT = "silent"
    BAD_PLACE = "bad_place"
    BAD_TEXT = "bad_text"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


STATUS: dict[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORISED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.TOO_LARGE: 413,
    Code.NOT_AUDIO: 415,
    Code.TOO_LONG: 422,
    Code.TOO_SHORT: 422,
    Code.SILENT: 422,
    Code.BAD_PLACE: 422,
    Code.BAD_TEXT: 422,
    Code.IDEMPOTENCY_MISMATCH: 422,
    Code.RATE_LIMITED: 429,
    Code.UNAVAILABLE: 503,
}


class Refused(Exception):
    """The caller asked for something that we will not do, and can be told why.

    `detail` is one sentence for a person, without secrets. `retry_after_s` is set for `rate_limited` and
    `unavailable`, and for a `conflict` that passes by itself.
    """

    def __init__(self, code: Code, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s

    @property
    def text(self) -> str:
        """The key of its sentence on pages."""
        return str(self.code)

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUS[self.code]


class Busy(Refused):
    """`unavailable` for who asks what would take too long, or while too many ask: it passes by itself."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.UNAVAILABLE, detail, retry_after_s=BUSY_RETRY_S)

    @property
    def text(self) -> str:
        """Of its own: nothing is away."""
        return "busy"


class Missing(Exception):
    """A part that we need is not there now: the work waits and uses up no attempt, but for `memory`, which does.

    `part` is a short stable word (`model`, `store`, `database`), `detail` says what to do.
    """

    def __init__(self, part: str, detail: str) -> None:
        super().__init__(detail)
        self.part = part
        self.detail = detail


class Died(Missing):
    """A process of ours was ended from outside while it worked: by an operator, or by the kernel for want of memory.

    It says nothing of what it worked on, unless that happens again and again. `part` is what died (`speech`,
    `decoder`, `encoder`).
    """
