"""Remembers a call's attempts, and asks the mock behind the gateway for behaviours.

It uses the hooks that the clients offer to applications; it changes nothing else.
"""

import time

import httpx2


class Watch:
    """The attempts of one call."""

    def __init__(self, header, behaviours):
        self.header = header  # that names a behaviour
        self.behaviours = behaviours  # of the attempts, in their order; then none
        self.attempts = []

    def sent(self, headers):
        n = len(self.attempts)
        if n < len(self.behaviours) and self.behaviours[n]:
            headers[self.header] = self.behaviours[n]
        self.attempts.append({"at": time.monotonic(), "status": 0, "id": ""})

    def answered(self, status, headers):
        self.attempts[-1].update(status=status, id=headers.get("x-request-id", ""))

    def hooks(self):
        """The same as event hooks of an HTTP client."""
        return {
            "request": [lambda r: self.sent(r.headers)],
            "response": [lambda r: self.answered(r.status_code, r.headers)],
        }

    def http(self):
        """An HTTP client with these hooks."""
        return httpx2.Client(event_hooks=self.hooks(), timeout=60, follow_redirects=True)
