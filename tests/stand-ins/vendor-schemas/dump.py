"""Writes the vendors' types as JSON Schemas, one file each, into the folder given."""

import json
import pathlib
import sys

import anthropic.types
import anthropic.types.message_count_tokens_params as anthropic_count
import anthropic.types.message_create_params as anthropic_create
import openai.types
import openai.types.chat
import openai.types.chat.completion_create_params as chat_create
import openai.types.embedding_create_params as embedding_create
import openai.types.responses
import openai.types.responses.input_token_count_params as responses_count
import openai.types.responses.response_create_params as responses_create
from anthropic.types.shared import ErrorResponse
from google.genai import types as gemini
from pydantic import TypeAdapter


def schema(kind):
    return TypeAdapter(kind).json_schema(by_alias=True)


def closed(value):
    """A request with a name the vendor does not know is wrong, although typed dicts take it."""
    if isinstance(value, dict):
        if "properties" in value:
            value.setdefault("additionalProperties", False)
        for inner in value.values():
            closed(inner)
    elif isinstance(value, list):
        for inner in value:
            closed(inner)
    return value


def gemini_request():
    content, config = schema(gemini.Content), schema(gemini.GenerationConfig)
    definitions = {**content.pop("$defs", {}), **config.pop("$defs", {}), "Content": content, "GenerationConfig": config}
    ref = lambda name: {"$ref": "#/$defs/" + name}
    return {
        "type": "object",
        "properties": {
            "contents": {"type": "array", "items": ref("Content")},
            "systemInstruction": ref("Content"),
            "generationConfig": ref("GenerationConfig"),
        },
        "required": ["contents"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def union(*kinds):
    whole = kinds[0]
    for kind in kinds[1:]:
        whole = whole | kind
    return whole


def main(folder):
    made = {
        "anthropic-messages.request": closed(
            schema(union(anthropic_create.MessageCreateParamsNonStreaming, anthropic_create.MessageCreateParamsStreaming))
        ),
        "anthropic-messages.count": closed(schema(anthropic_count.MessageCountTokensParams)),
        "anthropic-messages.reply": schema(anthropic.types.Message),
        "anthropic-messages.event": schema(anthropic.types.RawMessageStreamEvent),
        "anthropic-messages.error": schema(ErrorResponse),
        "openai-responses.request": closed(
            schema(union(responses_create.ResponseCreateParamsNonStreaming, responses_create.ResponseCreateParamsStreaming))
        ),
        "openai-responses.count": closed(schema(responses_count.InputTokenCountParams)),
        "openai-responses.reply": schema(openai.types.responses.Response),
        "openai-chat.request": closed(
            schema(union(chat_create.CompletionCreateParamsNonStreaming, chat_create.CompletionCreateParamsStreaming))
        ),
        "openai-chat.reply": schema(openai.types.chat.ChatCompletion),
        "openai-embeddings.request": closed(schema(embedding_create.EmbeddingCreateParams)),
        "openai-embeddings.reply": schema(openai.types.CreateEmbeddingResponse),
        "gemini-generate.request": gemini_request(),
        "gemini-generate.reply": schema(gemini.GenerateContentResponse),
    }
    for name, value in made.items():
        (folder / (name + ".json")).write_text(json.dumps(value, sort_keys=True))


main(pathlib.Path(sys.argv[1]))
