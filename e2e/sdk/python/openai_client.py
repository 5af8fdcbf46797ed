"""What the two APIs of the openai package have in common."""

import openai


def connect(access, watch):
    """The client for a gateway."""
    return openai.OpenAI(base_url=access["url"] + "/v1", api_key=access["key"], max_retries=access["retries"], http_client=watch.http())


def embed(client, model, texts):
    """Vectors of texts."""
    got = client.embeddings.create(model=model, input=texts)
    return {"floats": [d.embedding for d in got.data], "in": got.usage.prompt_tokens}


def fault(e):
    """The exception's type, and what it tells."""
    if isinstance(e, openai.APIStatusError):
        return e.status_code, f"{type(e).__name__} {e.type}"
    return None
