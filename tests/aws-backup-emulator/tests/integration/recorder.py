"""A function that writes down the events it is given, or fails when it is told to."""

import json
import os


def handler(event, _context):
    if os.environ.get("FAIL"):
        raise RuntimeError("told to fail")
    with open(os.environ["RECORD"], "a", encoding="utf-8") as record:
        record.write(json.dumps(event) + "\n")
