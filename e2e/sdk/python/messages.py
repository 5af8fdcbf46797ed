"""Messages by the anthropic package."""

import json

import anthropic

from question import Turns, Weather, given


def open(access, watch):  # pylint: disable=redefined-builtin
    """The client for a gateway."""
    return anthropic.Anthropic(base_url=access["url"], api_key=access["key"], max_retries=access["retries"], http_client=watch.http())


def _params(q):
    content = [{"type": "text", "text": q["text"]}]
    if q["image"]:
        content.append({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": q["image"]}})
    turns = [{"role": "user", "content": content}]
    tools = choice = None
    if q["tool"]:
        tools = [{"name": q["tool"]["name"], "input_schema": q["tool"]["schema"]}]
        choice = {"type": "tool", "name": q["tool"]["name"]}
    if q["turn"]:
        choice = None
        turns.append({"role": "assistant", "content": _turns.take(q["turn"]["message"])})
        turns.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": c["id"], "content": q["turn"]["result"]} for c in q["turn"]["calls"]]})
    return given(model=q["model"], max_tokens=500, messages=turns, tools=tools, tool_choice=choice, output_format=Weather if q["schema"] else None)


_turns = Turns()


def chat(client, q):
    """A whole answer."""
    ask = client.messages.parse if q["schema"] else client.messages.create
    return _answer(ask(**_params(q)))


def stream(client, q, piece):
    """An answer piece by piece, and what the client's accumulator makes of it."""
    with client.messages.stream(**_params(q)) as s:
        for text in s.text_stream:
            piece(text)
        return _answer(s.get_final_message())


def _answer(got):
    u = got.usage
    return {
        "text": "".join(b.text for b in got.content if b.type == "text"),
        "calls": [{"id": b.id, "name": b.name, "args": json.dumps(b.input)} for b in got.content if b.type == "tool_use"],
        "turn": _turns.keep(got.content),
        "model": got.model,
        "stop": got.stop_reason,
        "in": u.input_tokens + (u.cache_read_input_tokens or 0) + (u.cache_creation_input_tokens or 0),
        "out": u.output_tokens,
    }


def fault(e):
    """The exception's type, and what it tells."""
    if isinstance(e, anthropic.APIStatusError):
        return e.status_code, f"{type(e).__name__} {e.type}"
    return None
