"""What the calls of boto3's bedrock-runtime have in common."""

import contextlib
import os
import threading

import boto3
import botocore.exceptions
from botocore.config import Config

# A client is made once for all calls with one key: that takes a while.
_clients = {}
_making = threading.Lock()
_calling = threading.local()


def _make(access):
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = access["key"]
    # The client's signer insists on TLS, and in front of this gateway there is none:
    # what it signs is sent in plain text.
    made = boto3.Session().client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=access["url"].replace("http://", "https://"),
        config=Config(retries={"mode": "standard", "total_max_attempts": access["retries"] + 1}, max_pool_connections=32),
    )
    made.meta.events.register("before-send.bedrock-runtime", _before)
    made.meta.events.register("before-parse.bedrock-runtime", _after)
    return made


def _before(request, **_):
    request.url = request.url.replace("https://", "http://")
    _calling.watch.sent(request.headers)


def _after(response_dict, **_):
    _calling.watch.answered(response_dict["status_code"], response_dict["headers"])


class _Opened:
    """The client as one thread uses it."""

    def __init__(self, client):
        self.client = client

    def close(self):
        """Leaves the client to other calls."""
        del _calling.watch


def connect(access, watch):
    """The client for a gateway, in this thread."""
    _calling.watch = watch
    with _making:
        key = access["key"], access["retries"]
        if key not in _clients:
            _clients[key] = _make(access)
        return _Opened(_clients[key])


def events(stream):
    """The events of a stream, which is closed at its end."""
    return contextlib.closing(stream)


def fault(e):
    """The exception's type."""
    if isinstance(e, botocore.exceptions.ClientError):
        return e.response["ResponseMetadata"]["HTTPStatusCode"], type(e).__name__
    return None
