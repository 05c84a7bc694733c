"""Calls to DynamoDB that are throttled, one operation on one table at a time.

DynamoDB answers so when an account asks too often (DynamoDB Developer Guide, "Error handling with DynamoDB"); ministack never
does.
"""

from corrections import fields, replaces, tables_of
from ministack.core.responses import error_response_json
from ministack.services import dynamodb

REFUSAL = ("ThrottlingException", "Rate of requests exceeds the allowed throughput.")

throttled: set[tuple[str, str]] = set()


def switch(operation: str, table: str, on: bool) -> list[list[str]]:
    """Lets calls of an operation that name a table be throttled, or not any more; all that are."""
    (throttled.add if on else throttled.discard)((operation, table))
    return sorted(map(list, throttled))


def apply() -> None:
    """Puts the switch in place; before the first request."""

    @replaces(dynamodb, "handle_request")
    def _(original):
        async def handle(method, path, headers, body, query_params):
            if throttled:
                operation = headers.get("x-amz-target", "").rpartition(".")[2]
                if any((operation, table) in throttled for table in tables_of(fields(body))):
                    return error_response_json(*REFUSAL, 400)
            return await original(method, path, headers, body, query_params)

        return handle
