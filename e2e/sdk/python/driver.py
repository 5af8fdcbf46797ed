"""Asks one official client for Python what the tests in Go tell it to ask.

    python driver.py CLIENT

CLIENT is a module beside this one (chat, responses, messages, generate,
converse, invoke). A line on standard input is a call, or takes one back; a line on standard
output is a piece of a stream, or what came of a call. Calls run at the same time.
What is asked, and what the answers must be, is the affair of the tests in Go.
"""

import contextlib
import importlib
import json
import sys
import threading
import traceback

from watch import Watch


class Cancelled(Exception):
    """The application goes away in mid-stream."""


class Call:
    """One call of the client."""

    def __init__(self, client, request, write):
        self.client = client
        self.request = request
        self.write = write
        self.watch = Watch(request["header"], request["behaviours"] or [])
        self.cancelled = threading.Event()

    def run(self):
        done = {"attempts": None}
        try:
            done.update(self.ask())
        except Cancelled:
            done["cancelled"] = True
        except Exception as e:  # pylint: disable=broad-except  # it is what is asked for
            done["fault"] = self.fault(e)
        done["attempts"] = self.watch.attempts
        self.write(id=self.request["id"], done=done)

    def ask(self):
        question = self.request["question"]
        with contextlib.closing(self.client.open(self.request["access"], self.watch)) as opened:
            match self.request["op"]:
                case "chat":
                    return {"answer": self.client.chat(opened, question)}
                case "stream":
                    return {"answer": self.client.stream(opened, question, self.piece)}
                case _:
                    return {"vectors": self.client.embed(opened, question["model"], question["texts"])}

    def piece(self, text):
        if self.cancelled.is_set():
            raise Cancelled
        if text:
            self.write(id=self.request["id"], text=text)

    def fault(self, e):
        """What the client's own exception tells; nothing of any other."""
        own = self.client.fault(e)
        status, kind = own or (0, "")
        text = "".join(traceback.format_exception_only(e)) if own else "".join(traceback.format_exception(e))
        return {"own": own is not None, "status": status, "kind": kind, "text": text}


def main():
    client = importlib.import_module(sys.argv[1])
    lock = threading.Lock()
    calls = {}

    def write(**line):
        text = json.dumps(line)
        with lock:
            print(text, flush=True)

    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "cancel":
            calls[request["id"]].cancelled.set()
            continue
        call = calls[request["id"]] = Call(client, request, write)
        threading.Thread(target=call.run, daemon=True).start()


if __name__ == "__main__":
    main()
