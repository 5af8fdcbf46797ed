"""Converse and ConverseStream by boto3."""

import base64
import json

from aws_client import connect, events, fault  # noqa: F401  pylint: disable=unused-import
from question import Turns

open = connect  # pylint: disable=redefined-builtin


def _params(q):
    content = [{"text": q["text"]}]
    if q["image"]:
        content.append({"image": {"format": "png", "source": {"bytes": base64.b64decode(q["image"])}}})
    turns = [{"role": "user", "content": content}]
    p = {"modelId": q["model"], "messages": turns}
    if q["schema"]:
        p["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {
            "jsonSchema": {"name": "weather", "schema": q["schema"]}}}}
    if q["tool"]:
        p["toolConfig"] = {"tools": [{"toolSpec": {"name": q["tool"]["name"], "inputSchema": {"json": q["tool"]["schema"]}}}]}
    if q["turn"]:
        turns.append(_turns.take(q["turn"]["message"]))
        turns.append({"role": "user", "content": [
            {"toolResult": {"toolUseId": c["id"], "content": [{"text": q["turn"]["result"]}]}} for c in q["turn"]["calls"]]})
    elif q["tool"]:
        p["toolConfig"]["toolChoice"] = {"tool": {"name": q["tool"]["name"]}}
    return p


_turns = Turns()


def chat(opened, q):
    """A whole answer."""
    got = opened.client.converse(**_params(q))
    return _answer(got["output"]["message"], got["stopReason"], got["usage"])


def stream(opened, q, piece):
    """An answer piece by piece, put together here: the client has no accumulator."""
    message, blocks, end = {}, {}, {}
    with events(opened.client.converse_stream(**_params(q))["stream"]) as s:
        for event in s:
            for name, e in event.items():
                if name == "messageStart":
                    message["role"] = e["role"]
                elif name == "contentBlockStart":
                    blocks[e["contentBlockIndex"]] = {"toolUse": {**e["start"]["toolUse"], "input": ""}}
                elif name == "contentBlockDelta":
                    _add(blocks, e, piece)
                else:
                    end.update(e)
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    message["content"] = [block for _, block in sorted(blocks.items())]
    return _answer(message, end["stopReason"], end["usage"])


def _add(blocks, e, piece):
    block, delta = blocks.setdefault(e["contentBlockIndex"], {}), e["delta"]
    if "text" in delta:
        piece(delta["text"])
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        thought = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
        for name, value in delta["reasoningContent"].items():
            thought[name] = thought.get(name, "") + value


def _answer(message, stop, u):
    calls = [b["toolUse"] for b in message["content"] if "toolUse" in b]
    return {
        "text": "".join(_text(b) for b in message["content"]),
        "calls": [{"id": c["toolUseId"], "name": c["name"], "args": json.dumps(c["input"])} for c in calls],
        "turn": _turns.keep(message),
        "model": "",
        "stop": stop,
        "in": u["inputTokens"] + u.get("cacheReadInputTokens", 0) + u.get("cacheWriteInputTokens", 0),
        "out": u["outputTokens"],
    }


def _text(block):
    if "citationsContent" in block:
        return "".join(c["text"] for c in block["citationsContent"]["content"])
    return block.get("text", "")
