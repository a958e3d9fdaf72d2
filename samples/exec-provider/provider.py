#!/usr/bin/env python3
"""A provider for `orch` in one file: reads one JSON request on standard input, writes one JSON reply on standard output.

It asks a model server that speaks Chat Completions at ORCH_SAMPLE_URL (for instance http://127.0.0.1:11434/v1), or, where
ORCH_SAMPLE_COMMAND is set, runs that command with the prompt on its standard input and takes what it prints as the answer.
The protocol is described in docs/reference/exec-provider.md. Python 3.8 and nothing else.
"""

import json
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

VERSION = 1


class Failed(Exception):
    """Why there is no answer, in the words of the protocol."""

    def __init__(self, kind, message, **more):
        super().__init__(message)
        self.error = {"kind": kind, "message": message[:300], **more}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A credential goes where it was meant to go, and nowhere else."""

    def redirect_request(self, *args):
        return None


def main():
    try:
        request = json.load(sys.stdin)
        if request.get("version") != VERSION:
            raise Failed("bad-request", "version %r is not spoken here" % request.get("version"))
        reply = answer(request)
    except Failed as failed:
        reply = {"error": failed.error}
    except ValueError as error:
        reply = {"error": {"kind": "bad-request", "message": "the request is no JSON: %s" % error}}
    json.dump({"version": VERSION, **reply}, sys.stdout)
    sys.stdout.write("\n")


def answer(request):
    command, url = os.environ.get("ORCH_SAMPLE_COMMAND"), os.environ.get("ORCH_SAMPLE_URL")
    if "embed" in request:
        if not url:
            raise Failed("bad-request", "vectors come from a server only: set ORCH_SAMPLE_URL")
        return vectors(url, request)
    if command:
        return by_command(shlex.split(command), request)
    if url:
        return by_server(url, request)
    raise Failed("offline", "neither ORCH_SAMPLE_COMMAND nor ORCH_SAMPLE_URL is set")


def user_text(request):
    return "\n\n".join(text for text in (request["context"], request["prompt"]) if text)


def by_command(words, request):
    """Any program that takes a prompt and prints an answer."""
    text = "\n\n".join(part for part in (request["system"], user_text(request)) if part)
    if request["schema"]:
        text += "\n\nAnswer with JSON that fits this schema and nothing else:\n" + json.dumps(request["schema"]["schema"])
    try:
        done = subprocess.run(words, input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise Failed("offline", "cannot run %s: %s" % (words[0], error))
    if done.returncode != 0:
        raise Failed("overloaded", done.stderr.decode(errors="replace").strip() or "it failed", status=500)
    # No usage: orch estimates it from sizes.
    return {"text": done.stdout.decode(errors="replace").strip()}


def by_server(url, request):
    """A server that speaks Chat Completions."""
    body = {
        "model": request["model"],
        "messages": [
            {"role": role, "content": text}
            for role, text in (("system", request["system"]), ("user", user_text(request)))
            if text
        ],
        "max_tokens": request["max_output"],
    }
    if request["effort"]:
        body["reasoning_effort"] = request["effort"]
    if request["schema"]:
        body["response_format"] = {"type": "json_schema", "json_schema": {**request["schema"], "strict": True}}
    return read(post(url, "/chat/completions", body))


def vectors(url, request):
    """A server that speaks embeddings as OpenAI does."""
    said = post(url, "/embeddings", {"model": request["model"], "input": request["embed"], "encoding_format": "float"})
    try:
        made = [item["embedding"] for item in sorted(said["data"], key=lambda item: item["index"])]
    except (KeyError, TypeError):
        raise Failed("cut", "the server's reply has no vectors")
    usage = said.get("usage")
    return {"vectors": made, **({"usage": {"input": usage["prompt_tokens"]}} if usage else {})}


def post(url, path, body):
    """One request to the server, and the JSON it answers."""
    host = urllib.parse.urlsplit(url)
    if host.scheme != "https" and host.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise Failed("bad-request", "plain http goes to this machine only")
    headers = {"content-type": "application/json"}
    if os.environ.get("ORCH_SAMPLE_KEY"):
        headers["authorization"] = "Bearer " + os.environ["ORCH_SAMPLE_KEY"]
    call = urllib.request.Request(url.rstrip("/") + path, json.dumps(body).encode(), headers)
    opener = urllib.request.build_opener(NoRedirect, *([urllib.request.ProxyHandler({})] if host.scheme == "http" else []))
    try:
        # The deadline is kept by orch, which ends this program.
        with opener.open(call) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise of_status(error)
    except (urllib.error.URLError, OSError) as error:
        raise Failed("offline", str(getattr(error, "reason", error)))
    except ValueError as error:
        raise Failed("cut", "the server's reply is no JSON: %s" % error)


def of_status(error):
    status, text = error.code, error.read(2000).decode(errors="replace")
    after = error.headers.get("retry-after", "")
    more = {"retry_after_ms": int(after) * 1000} if after.isdigit() else {}
    if status == 402 or "insufficient_quota" in text:
        return Failed("spend", text)
    if status == 429:
        return Failed("wait", text, **more)
    if status in (401, 403):
        return Failed("auth", text)
    if status == 413:
        return Failed("too-large", text)
    if status >= 500:
        return Failed("overloaded", text, status=status, **more)
    return Failed("bad-request", text, status=status)


def read(said):
    try:
        choice = said["choices"][0]
        message, finish = choice["message"], choice["finish_reason"]
    except (KeyError, IndexError, TypeError):
        raise Failed("cut", "the server's reply has no choice")
    if finish == "content_filter" or message.get("refusal"):
        reply = {"refusal": message.get("refusal") or "content_filter"}
    else:
        reply = {"text": message.get("content") or "", "stop": "max_tokens" if finish == "length" else "end"}
    if said.get("model"):
        reply["model"] = said["model"]
    usage = said.get("usage")
    if usage:
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
        reply["usage"] = {
            "input": usage["prompt_tokens"] - cached,
            "cache_read": cached,
            "output": usage["completion_tokens"],
            "reasoning": thought,
        }
    return reply


if __name__ == "__main__":
    main()
