"""Chat completions by the openai package."""

from openai_client import connect, embed, fault  # noqa: F401  pylint: disable=unused-import
from question import Turns, Weather, given

open = connect  # pylint: disable=redefined-builtin


def _params(q):
    content = q["text"]
    if q["image"]:
        content = [
            {"type": "text", "text": q["text"]},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64," + q["image"]}},
        ]
    messages = [{"role": "user", "content": content}]
    tools = choice = None
    if q["tool"]:
        name = q["tool"]["name"]
        tools = [{"type": "function", "function": {"name": name, "parameters": q["tool"]["schema"]}}]
        choice = {"type": "function", "function": {"name": name}}
    if q["turn"]:
        choice = None
        messages.append(_turns.take(q["turn"]["message"]))
        messages += [{"role": "tool", "tool_call_id": c["id"], "content": q["turn"]["result"]} for c in q["turn"]["calls"]]
    return given(model=q["model"], messages=messages, tools=tools, tool_choice=choice, response_format=Weather if q["schema"] else None)


_turns = Turns()


def chat(client, q):
    """A whole answer."""
    ask = client.chat.completions.parse if q["schema"] else client.chat.completions.create
    return _answer(ask(**_params(q)))


def stream(client, q, piece):
    """An answer piece by piece, and what the client's accumulator makes of it."""
    with client.chat.completions.stream(**_params(q), stream_options={"include_usage": True}) as s:
        for event in s:
            if event.type == "content.delta":
                piece(event.delta)
        return _answer(s.get_final_completion())


def _answer(got):
    (choice,) = got.choices
    return {
        "text": choice.message.content or "",
        "calls": [{"id": c.id, "name": c.function.name, "args": c.function.arguments} for c in choice.message.tool_calls or []],
        "turn": _turns.keep(_given_back(choice.message)),
        "model": got.model,
        "stop": choice.finish_reason,
        "in": got.usage.prompt_tokens,
        "out": got.usage.completion_tokens,
    }


def _given_back(message):
    """A message as the API takes it back: the accumulator adds members of its own."""
    back = {k: v for k, v in message.to_dict().items() if k not in ("parsed", "annotations") and v is not None}
    for call in back.get("tool_calls") or []:
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return back
