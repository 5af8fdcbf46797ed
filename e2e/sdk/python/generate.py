"""generateContent by the google-genai package."""

import base64
import contextlib
import json

from google import genai
from google.genai import errors, types

from question import Turns, Weather, given


def open(access, watch):  # pylint: disable=redefined-builtin
    """The client for a gateway."""
    return genai.Client(api_key=access["key"], http_options=types.HttpOptions(
        base_url=access["url"], httpx_client=watch.http(), retry_options=types.HttpRetryOptions(attempts=access["retries"] + 1)))


def _params(q):
    parts = [types.Part.from_text(text=q["text"])]
    if q["image"]:
        parts.append(types.Part.from_bytes(data=base64.b64decode(q["image"]), mime_type="image/png"))
    contents = [types.UserContent(parts=parts)]
    tools = config = None
    if q["tool"]:
        name = q["tool"]["name"]
        tools = [types.Tool(function_declarations=[types.FunctionDeclaration(name=name, parameters_json_schema=q["tool"]["schema"])])]
        config = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY", allowed_function_names=[name]))
    if q["turn"]:
        config = None
        contents.append(_turns.take(q["turn"]["message"]))
        contents.append(types.UserContent(parts=[types.Part(function_response=types.FunctionResponse(
            id=c["id"], name=c["name"], response={"output": q["turn"]["result"]})) for c in q["turn"]["calls"]]))
    more = given(tools=tools, tool_config=config)
    if q["schema"]:
        more.update(response_mime_type="application/json", response_schema=Weather)
    return {"model": q["model"], "contents": contents, "config": types.GenerateContentConfig(**more)}


_turns = Turns()


def chat(client, q):
    """A whole answer."""
    return _answer([client.models.generate_content(**_params(q))])


def stream(client, q, piece):
    """An answer piece by piece, put together here: the client has no accumulator."""
    chunks = []
    with contextlib.closing(client.models.generate_content_stream(**_params(q))) as s:
        for chunk in s:
            chunks.append(chunk)
            piece("".join(p.text or "" for p in _parts(chunk)))
    return _answer(chunks)


def _parts(chunk):
    content = chunk.candidates[0].content if chunk.candidates else None
    return (content.parts or []) if content else []


def _answer(chunks):
    """The usage of the last chunk is that of all."""
    parts = [p for c in chunks for p in _parts(c) if p.text != ""]
    calls = [p.function_call for p in parts if p.function_call]
    last = chunks[-1]
    u = last.usage_metadata
    return {
        "text": "".join(p.text for p in parts if p.text and not p.thought),
        "calls": [{"id": c.id or "", "name": c.name, "args": json.dumps(c.args)} for c in calls],
        "turn": _turns.keep(types.ModelContent(parts=parts) if parts else None),
        "model": last.model_version,
        "stop": last.candidates[0].finish_reason.value,
        "in": u.prompt_token_count + (u.tool_use_prompt_token_count or 0),
        "out": (u.candidates_token_count or 0) + (u.thoughts_token_count or 0),
    }


def embed(client, model, texts):
    """Vectors of texts."""
    got = client.models.embed_content(model=model, contents=[types.UserContent(t) for t in texts])
    return {"floats": [e.values for e in got.embeddings], "in": -1}


def fault(e):
    """The exception's type, and what it tells."""
    if isinstance(e, errors.APIError):
        return e.code, f"{type(e).__name__} {e.status}"
    return None
