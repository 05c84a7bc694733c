"""Serves Application Auto Scaling with moto at 127.0.0.1:<port>: the one service that the functions call and ministack lacks.

It asks ministack which Regions are off, and answers for those as ministack does.
"""

import json
import os
import sys
import urllib.request

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

import switches
from parent import end_with_parent


def unless_off(application):
    """The WSGI application, for Regions that are on."""

    def served(environ, start_response):
        with urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/_local/regions") as answer:
            switches.off = set(json.load(answer)["off"])
        headers = [(b"authorization", environ.get("HTTP_AUTHORIZATION", "").encode("latin-1"))]
        if switches.is_off(headers, environ.get("QUERY_STRING", "").encode("latin-1")):
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        return application(environ, start_response)

    return served


if __name__ == "__main__":
    end_with_parent()
    application = unless_off(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)
