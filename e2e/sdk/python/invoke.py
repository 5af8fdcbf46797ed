"""InvokeModel and InvokeModelWithResponseStream by boto3, with Claude's bodies."""

import json

from aws_client import connect, events, fault  # noqa: F401  pylint: disable=unused-import
from question import Turns

open = connect  # pylint: disable=redefined-builtin


def _params(q):
    content = [{"type": "text", "text": q["text"]}]
    if q["image"]:
        content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": q["image"]}})
    turns = [{"role": "user", "content": content}]
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 500, "messages": turns}
    if q["schema"]:
        body["output_config"] = {"format": {"type": "json_schema", "schema": json.loads(q["schema"])}}
    if q["tool"]:
        body["tools"] = [{"name": q["tool"]["name"], "input_schema": q["tool"]["schema"]}]
    if q["turn"]:
        turns.append({"role": "assistant", "content": _turns.take(q["turn"]["message"])})
        turns.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": c["id"], "content": q["turn"]["result"]} for c in q["turn"]["calls"]]})
    elif q["tool"]:
        body["tool_choice"] = {"type": "tool", "name": q["tool"]["name"]}
    return {"modelId": q["model"], "body": json.dumps(body), "contentType": "application/json"}


_turns = Turns()


def chat(opened, q):
    """A whole answer."""
    return _answer(json.loads(opened.client.invoke_model(**_params(q))["body"].read()))


def stream(opened, q, piece):
    """An answer piece by piece, put together here: the client has no accumulator."""
    got, blocks, arguments = {}, {}, {}
    with events(opened.client.invoke_model_with_response_stream(**_params(q))["body"]) as s:
        for event in s:
            e = json.loads(event["chunk"]["bytes"])
            match e["type"]:
                case "message_start":
                    got = e["message"]
                case "content_block_start":
                    blocks[e["index"]] = e["content_block"]
                case "content_block_delta" if e["delta"]["type"] == "text_delta":
                    piece(e["delta"]["text"])
                    blocks[e["index"]]["text"] += e["delta"]["text"]
                case "content_block_delta" if e["delta"]["type"] == "input_json_delta":
                    arguments[e["index"]] = arguments.get(e["index"], "") + e["delta"]["partial_json"]
                case "message_delta":
                    got.update(e["delta"])
                    got["usage"].update(e["usage"])
    for index, text in arguments.items():
        blocks[index]["input"] = json.loads(text)
    got["content"] = [block for _, block in sorted(blocks.items())]
    return _answer(got)


def _answer(got):
    u = got["usage"]
    return {
        "text": "".join(b["text"] for b in got["content"] if b["type"] == "text"),
        "calls": [{"id": b["id"], "name": b["name"], "args": json.dumps(b["input"])} for b in got["content"] if b["type"] == "tool_use"],
        "turn": _turns.keep(got["content"]),
        "model": "",
        "stop": got["stop_reason"],
        "in": u["input_tokens"] + (u.get("cache_read_input_tokens") or 0) + (u.get("cache_creation_input_tokens") or 0),
        "out": u["output_tokens"],
    }
