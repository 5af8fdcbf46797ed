"""Responses by the openai package."""

from openai_client import connect, embed, fault  # noqa: F401  pylint: disable=unused-import
from question import Turns, Weather, given

open = connect  # pylint: disable=redefined-builtin


def _params(q):
    content = [{"type": "input_text", "text": q["text"]}]
    if q["image"]:
        content.append({"type": "input_image", "image_url": "data:image/png;base64," + q["image"], "detail": "auto"})
    items = [{"role": "user", "content": content}]
    tools = choice = None
    if q["tool"]:
        name = q["tool"]["name"]
        tools = [{"type": "function", "name": name, "parameters": q["tool"]["schema"], "strict": False}]
        choice = {"type": "function", "name": name}
    if q["turn"]:
        choice = None
        items += _turns.take(q["turn"]["message"])
        items += [{"type": "function_call_output", "call_id": c["id"], "output": q["turn"]["result"]} for c in q["turn"]["calls"]]
    return given(model=q["model"], input=items, store=False, tools=tools, tool_choice=choice, text_format=Weather if q["schema"] else None)


_turns = Turns()


def chat(client, q):
    """A whole answer."""
    ask = client.responses.parse if q["schema"] else client.responses.create
    return _answer(ask(**_params(q)))


def stream(client, q, piece):
    """An answer piece by piece, and what the client's accumulator makes of it."""
    with client.responses.stream(**_params(q)) as s:
        for event in s:
            if event.type == "response.output_text.delta":
                piece(event.delta)
        return _answer(s.get_final_response())


def _answer(got):
    return {
        "text": got.output_text,
        "calls": [{"id": i.call_id, "name": i.name, "args": i.arguments} for i in got.output if i.type == "function_call"],
        "turn": _turns.keep(got.output),
        "model": got.model,
        "stop": got.status,
        "in": got.usage.input_tokens,
        "out": got.usage.output_tokens,
    }
