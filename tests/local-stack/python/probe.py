"""A function for tests of the template itself: it makes the AWS calls that its event asks for, with its role's credentials.

The event `{"calls": [{"service", "operation", "parameters", "region"?}]}` is answered with a list of the error codes, "" for a call that
succeeded. A Lambda bootstrap: it serves the Runtime API's events until it is ended.
"""

import json
import os
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def outcome(call: dict) -> str:
    """The error code of one call."""
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.client(call["service"], region_name=call.get("region"), config=config)
    try:
        getattr(client, call["operation"])(**call["parameters"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def serve() -> None:
    """Takes one event after the other."""
    while True:
        with urllib.request.urlopen(f"{API}/next") as event:
            request, body = event.headers["Lambda-Runtime-Aws-Request-Id"], json.load(event)
        if "calls" in body:
            answer, end = [outcome(call) for call in body["calls"]], "response"
        elif "fail" in body:
            answer, end = {"errorType": body["fail"], "errorMessage": "$: as asked"}, "error"
        else:
            answer, end = {"event": body, "environment": dict(os.environ)}, "response"
        urllib.request.urlopen(urllib.request.Request(f"{API}/{request}/{end}", json.dumps(answer).encode())).close()


if __name__ == "__main__":
    sys.exit(serve())
