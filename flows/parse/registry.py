"""Model registries as they are published (models.dev `api.json`, LiteLLM's price list) in one plain form.

The form of one model: provider, name, context (tokens), input and output (US dollars a million tokens), released (day or
empty), retires (day or empty), capabilities (labels of the taxonomy), doc (address).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flows.parse.types import Parsed
from models.errors import ParseError
from models.identity import one_line, safe_link

FLAGS = {
    "attachment": "file_input",
    "reasoning": "reasoning",
    "tool_call": "function_calling",
    "structured_output": "structured_output",
    "open_weights": "open_weights",
}
INPUTS = {"image": "vision_input", "audio": "audio_input", "video": "video_input", "pdf": "file_input"}
OUTPUTS = {"image": "image_generation", "audio": "speech_generation", "video": "video_generation"}
SUPPORTS = {
    "supports_vision": "vision_input",
    "supports_function_calling": "function_calling",
    "supports_response_schema": "structured_output",
    "supports_reasoning": "reasoning",
    "supports_pdf_input": "file_input",
    "supports_audio_input": "audio_input",
    "supports_video_input": "video_input",
    "supports_audio_output": "speech_generation",
    "supports_web_search": "web_search",
    "supports_computer_use": "computer_use",
}
MODES = {
    "image_generation": "image_generation",
    "audio_transcription": "audio_input",
    "audio_speech": "speech_generation",
    "video_generation": "video_generation",
    "embedding": "retrieval",
}


def parse_registry(body: bytes, url: str = "") -> Parsed:
    """Every model of a registry, by `provider/model`.

    Raises
    ------
    ParseError
        when the answer is empty, no JSON, or no registry of a known shape.

    """
    if not body.strip():
        raise ParseError("the answer was empty (0 bytes)", health="empty")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError("what came is no JSON, so it is no model registry; check the address") from error
    if not isinstance(data, dict) or not data:
        raise ParseError("the JSON that came is no model registry (an object by provider or by model was expected)")
    read = (
        _models_dev
        if any(isinstance(value, dict) and isinstance(value.get("models"), dict) for value in data.values())
        else _litellm
    )
    models = read(data)
    if not models:
        raise ParseError("the JSON that came holds no model; the registry's layout may have changed")
    return Parsed("registry", site=url, models=models)


def _models_dev(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    models = {}
    for provider_id, provider in data.items():
        listed = provider.get("models") if isinstance(provider, dict) else None
        for model_id, raw in (listed or {}).items():
            if isinstance(raw, dict):
                models[one_line(f"{provider_id}/{model_id}", limit=300)] = _dev_model(provider_id, provider, model_id, raw)
    return models


def _dev_model(provider_id: str, provider: Mapping[str, Any], model_id: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    cost, limit, modalities = (_dict(raw.get(name)) for name in ("cost", "limit", "modalities"))
    found = {label for flag, label in FLAGS.items() if raw.get(flag) is True}
    found |= {INPUTS[name] for name in modalities.get("input") or () if name in INPUTS}
    found |= {OUTPUTS[name] for name in modalities.get("output") or () if name in OUTPUTS}
    return {
        "provider": one_line(str(provider.get("name") or provider_id), limit=100),
        "name": one_line(str(raw.get("name") or model_id), limit=200),
        "context": _number(limit.get("context")),
        "input": _number(cost.get("input")),
        "output": _number(cost.get("output")),
        "released": one_line(str(raw.get("release_date") or ""), limit=10),
        "retires": "",
        "capabilities": sorted(found),
        "doc": safe_link(str(provider.get("doc") or "")),
    }


def _litellm(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    rows = {
        name: raw for name, raw in data.items() if isinstance(raw, dict) and "litellm_provider" in raw and name != "sample_spec"
    }
    return {one_line(f"{raw['litellm_provider']}/{name}", limit=300): _litellm_model(name, raw) for name, raw in rows.items()}


def _litellm_model(name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    found = {label for flag, label in SUPPORTS.items() if raw.get(flag) is True} | {
        MODES[mode] for mode in [raw.get("mode")] if mode in MODES
    }
    per_token = [_number(raw.get(key)) for key in ("input_cost_per_token", "output_cost_per_token")]
    return {
        "provider": one_line(str(raw["litellm_provider"]), limit=100),
        "name": one_line(name, limit=200),
        "context": _number(raw.get("max_input_tokens") or raw.get("max_tokens")),
        "input": None if per_token[0] is None else round(per_token[0] * 1e6, 6),
        "output": None if per_token[1] is None else round(per_token[1] * 1e6, 6),
        "released": "",
        "retires": one_line(str(raw.get("deprecation_date") or ""), limit=10),
        "capabilities": sorted(found),
        "doc": safe_link(str(raw.get("source") or "")),
    }


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12 else None
