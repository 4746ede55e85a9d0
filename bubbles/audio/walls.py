"""The walls of the sandbox, raised by the decoding child around itself before it reads a byte. Linux only.

The standard library has no door to these system calls, so they are made through ctypes.
"""

import ctypes
import os
import resource
import signal
import struct

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
# The same number on every architecture, as for all system calls since 2019.
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_CREATE_RULESET_VERSION = 1


def tie_to(parent_pid: int) -> None:
    """Dies with the thread that started this process; ends at once if that has already happened."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def confine(memory_bytes: int, cpu_s: int) -> dict[str, bool]:
    """Raises every wall that this kernel allows, and says which stand. Imports work no more after it."""
    kernel = ctypes.CDLL(None, use_errno=True)
    return {
        "network_namespace": bool(kernel.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0),
        "no_new_privileges": bool(kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0),
        "landlock": _forbid_files(kernel),
        "resource_limits": _limit_resources(memory_bytes, cpu_s),
    }


def _forbid_files(kernel: ctypes.CDLL) -> bool:
    """Landlock with no exception: no file is opened, no port is bound or reached, no signal leaves.

    What it can forbid grows with the kernel's Landlock version (landlock(7)): 13 file rights in version 1, one more
    in 2, 3 and 5; two network rights from 4; two scopes from 6.
    """
    version = kernel.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION)
    if version < 1:
        return False
    files = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    rights = struct.pack("=QQQ", files, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    ruleset = kernel.syscall(_LANDLOCK_CREATE_RULESET, rights, len(rights), 0)
    return bool(ruleset >= 0 and kernel.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)


def _limit_resources(memory_bytes: int, cpu_s: int) -> bool:
    """Bounds memory and time, and forbids files, sockets, processes and core dumps altogether.

    Half of the address space may hold data: code takes a quarter of the default already.
    """
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_DATA: memory_bytes // 2,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    return True
