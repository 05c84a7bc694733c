"""Starts ministack for dynachain's local AWS.

Six answers more, everything else goes to ministack unchanged:

- `GET /_local/callers/<access key id>`: `{"arn", "account", "session_token"}`, or 404 for an unknown key. The AWS Backup
  emulator asks it whose role a signed request carries, so that it can enforce the template's policies as ministack does
  for the services it serves itself.
- `GET /_local/calls`: how often functions have called what so far, `{"TrentService.GenerateDataKey": 1, ...}`, of the
  services that name the operation in a header, DynamoDB and KMS among them, and of CloudWatch: `{"PutMetricAlarm": 1}`.
- `GET /_local/wakes`: all schedules and all `rate`/`cron` rules of all Regions, as ministack stores them, for the waker.
  The API itself would take a call per schedule, and ministack's ListSchedules ends after its first page.
- `PUT /_local/regions/<region>`, `{"available": false}`: switches a Region off (`switches.py`); the AWS Backup emulator sets
  it together with its own. `GET /_local/regions` answers `{"off": [...]}`.
- `PUT /_local/hold`, `{"function": "table-restore", "after": 3}`: a function's fourth write is held from then on, as are all
  that follow, until `{"after": null}` lets go and fails them: time to kill the function at a moment of a test's choice
  (`holds.py`). `GET /_local/hold` answers `{"held": true}` once one is.
- `PUT /_local/tables/<status>/<table ARN>`: gives a table a status, such as `CREATING`. ministack makes and deletes tables
  at once, AWS does not, and tests need a table in between. A table's global indexes are created along with it.
- `PUT /_local/throttles/<operation>/<table>`, `{"throttled": true}`: DynamoDB throttles that operation on that table
  (`throttles.py`), until it is told `false`.

What ministack lacks or gets wrong, and this template meets, is set right in `corrections.py`, and in `alarms.py` for
CloudWatch.
"""

import json
import sys
from collections import Counter

import alarms
import corrections
import holds
import switches
import throttles
from ministack import app as ministack
from ministack.core.iam_evaluator import resolve_caller_identity
from ministack.services import dynamodb, eventbridge, scheduler
from parent import end_with_parent

CALLERS = "/_local/callers/"
CALLS = "/_local/calls"
HOLD = "/_local/hold"
REGIONS = "/_local/regions"
TABLES = "/_local/tables/"
THROTTLES = "/_local/throttles/"
WAKES = "/_local/wakes"
wrapped = ministack.app
calls: Counter[str] = Counter()


def caller(access_key: str) -> dict | None:
    """Who holds the key, as its holder would be named in an AccessDenied message."""
    identity = resolve_caller_identity(access_key)
    if identity is None:
        return None
    arn = identity["userArn"]
    # A temporary session carries its account in its ARN; the lookup itself knows only the default account.
    account = arn.split(":")[4] or identity["accountId"]
    if access_key.isdigit() and len(access_key) == 12:
        account, arn = access_key, f"arn:aws:iam::{access_key}:root"
    return {"arn": arn, "account": account, "session_token": (identity["session"] or {}).get("SessionToken")}


def wakes() -> dict:
    """All that wakes a target at a time, with the ARN that names its Region and account, and the Regions that are off."""
    schedules = [value for _, value in list(scheduler._schedules._data.items())]
    rules = [
        {**rule, "Targets": eventbridge._targets.get_scoped(account, region, key) or []}
        for (account, region, key), rule in list(eventbridge._rules._data.items())
        if rule.get("ScheduleExpression")
    ]
    return {"Schedules": schedules, "Rules": rules, "Off": sorted(switches.off)}


def set_table_status(status_and_arn: str) -> dict | None:
    """Gives a table a status; none if there is no such table."""
    status, _, arn = status_and_arn.partition("/")
    region, account, resource = arn.split(":")[3:6]
    table = dynamodb._tables.get_scoped(account, region, resource.removeprefix("table/"))
    if table is None:
        return None
    table["TableStatus"] = status
    if status in ("CREATING", "ACTIVE"):
        for index in table["GlobalSecondaryIndexes"]:
            index["IndexStatus"] = status
    return {"TableStatus": status}


async def members(receive) -> dict:
    """The members of a request's body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return corrections.fields(body)


async def switch_region(region: str, receive) -> tuple[int, dict]:
    """Switches a Region off or on, as the request's body says."""
    available = (await members(receive)).get("available")
    if not region or not isinstance(available, bool):
        return 400, {"message": '{"available": true} or {"available": false} for a Region is expected'}
    return 200, {"off": switches.switch(region, available)}


async def switch_throttle(operation_and_table: str, receive) -> tuple[int, dict]:
    """Lets an operation on a table be throttled or not, as the request's body says."""
    operation, _, table = operation_and_table.partition("/")
    on = (await members(receive)).get("throttled")
    if not operation or not table or not isinstance(on, bool):
        return 400, {"message": '{"throttled": true} or {"throttled": false} for an operation and a table is expected'}
    return 200, {"throttled": throttles.switch(operation, table, on)}


async def hold(method: str, receive) -> tuple[int, dict]:
    """Says whether a write is held, or holds and lets go, as the request's body says."""
    if method == "PUT":
        asked = await members(receive)
        holds.set_to(asked.get("function"), asked.get("after"))
    return 200, {"held": holds.is_held()}


def count(headers: list[tuple[bytes, bytes]], path: str) -> None:
    """Counts a call that is signed with the temporary key of a function's role."""
    found = dict(headers)
    operation = found.get(b"x-amz-target", b"").decode("latin-1") or alarms.operation_of(path)
    if operation and b"Credential=ASIA" in found.get(b"authorization", b""):
        calls[operation] += 1


async def answer(send, status: int, body: dict | None) -> None:
    """One JSON answer."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def nobody(send) -> None:
    """The answer of a Region that is off."""
    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def app(scope, receive, send):
    """The ASGI application: our answers here, all else in ministack."""
    path = scope["path"] if scope["type"] == "http" else ""
    if path == WAKES:
        await answer(send, 200, wakes())
    elif path == CALLS:
        await answer(send, 200, dict(calls))
    elif path == HOLD:
        await answer(send, *await hold(scope["method"], receive))
    elif path == REGIONS:
        await answer(send, 200, {"off": sorted(switches.off)})
    elif path.startswith(f"{REGIONS}/") and scope["method"] == "PUT":
        await answer(send, *await switch_region(path.removeprefix(f"{REGIONS}/"), receive))
    elif path.startswith(THROTTLES) and scope["method"] == "PUT":
        await answer(send, *await switch_throttle(path.removeprefix(THROTTLES), receive))
    elif path.startswith(TABLES) and scope["method"] == "PUT":
        found = set_table_status(path.removeprefix(TABLES))
        await answer(send, *((404, {"message": "there is no such table"}) if found is None else (200, found)))
    elif path.startswith(CALLERS):
        found = caller(path.removeprefix(CALLERS))
        missing = {"message": "nobody holds this access key"}
        await answer(send, *((404, missing) if found is None else (200, found)))
    elif path and switches.is_off(scope["headers"], scope.get("query_string", b"")):
        await nobody(send)
    else:
        if scope["type"] == "http":
            count(scope["headers"], path)
            if not await holds.passes(scope["headers"], path):
                await nobody(send)
                return
        await wrapped(scope, receive, send)


if __name__ == "__main__":
    end_with_parent()
    corrections.apply()
    throttles.apply()
    alarms.apply()
    ministack.app = app
    sys.argv = sys.argv[:1]
    sys.exit(ministack.main())
