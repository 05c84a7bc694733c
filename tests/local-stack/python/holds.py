"""Writes of one function that are held, so that a test can kill it at any of them.

A write is a call that changes something, by the first word of its operation: of the services that name it in a header, and of
CloudWatch, which names it in the path.
"""

import asyncio
import re

import alarms
from ministack.core.iam_evaluator import resolve_caller_identity

WRITES = re.compile(r"[./](Put|Update|Delete|Tag|Enable|Transact|BatchWrite)")
SIGNER = re.compile(rb"Credential=([^/,\s]+)/")

function: str | None = None
left: int | None = None
held = asyncio.Event()
released = asyncio.Event()


def set_to(name: str | None, after: int | None) -> None:
    """Lets so many writes of a function pass and holds the next ones; `None` lets go."""
    global function, left
    function, left = name, after
    if after is None:
        released.set()
    else:
        held.clear()
        released.clear()


def is_held() -> bool:
    """Is a write being held?"""
    return left is not None and held.is_set()


def is_of_function(authorization: bytes) -> bool:
    """Is a request signed with the key of the function's role session, which is named after the function?"""
    signer = SIGNER.search(authorization)
    identity = resolve_caller_identity(signer[1].decode("latin-1")) if signer else None
    return identity is not None and identity["userArn"].endswith(f"/dynachain-{function}")


async def passes(headers: list[tuple[bytes, bytes]], path: str) -> bool:
    """Waits with a write that is held; false when it is not to be carried out any more."""
    global left
    if left is None:
        return True
    found = dict(headers)
    operation = found.get(b"x-amz-target", b"").decode("latin-1") or f"/{alarms.operation_of(path)}"
    if not WRITES.search(operation) or not is_of_function(found.get(b"authorization", b"")):
        return True
    if left > 0:
        left -= 1
        return True
    held.set()
    await released.wait()
    return False
