"""Serves Application Auto Scaling with moto at 127.0.0.1:<port>: the one service that the functions call and ministack lacks."""

import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

from parent import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    application = DomainDispatcherApplication(create_backend_app)
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)
