"""The AsyncAPI 3.1 document: what we receive on the inlets and what we send, from the same models that read and write."""

from __future__ import annotations

import json
from typing import Any, Final

from schemas.inlet.event_types import EVENT_TYPES, INLETS, event_type_of
from schemas.published.examples import EXAMPLES

Json = dict[str, Any]

PARTITIONS: Final = 12
"""Design part 3: twelve partitions unless the site chose otherwise."""
DAY_MS: Final = 24 * 60 * 60 * 1000

_KEY: Final[Json] = {
    "type": "string",
    "description": "The opaque patient key: a keyed hash of assigning authority and number, never the number itself.",
}
_HEADERS: Final[Json] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "Stable: the same event sent again has the same id."},
        "ce_source": {"type": "string", "examples": ["/site/north/feed/laboratory"]},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time", "description": "Clinical time of the event."},
        "ce_subject": {"type": "string", "description": "Opaque patient key only."},
        "content-type": {"const": "application/json"},
    },
}


def build_asyncapi(version: str) -> Json:
    """The document as plain data; schemas are referred to, each in its own file beside it."""
    channels: Json = {}
    operations: Json = {}
    messages: Json = {}
    for event_type in EVENT_TYPES:
        inlet = INLETS[event_type]
        channel = channels.setdefault(_name(inlet), _channel(inlet, "What a hospital's own producer writes."))
        name = _name(event_type.removeprefix("org.myelowatch."))
        channel["messages"][name] = {"$ref": f"#/components/messages/{name}"}
        messages[name] = _message(event_type, f"{event_type}.schema.json", with_headers=True)
        operations[f"receive{name}"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{_name(inlet)}"},
            "messages": [{"$ref": f"#/channels/{_name(inlet)}/messages/{name}"}],
        }
    for address, name, schema, text, days in (
        ("alert.lifecycle.v1", "alertTransition", "alert.transition.v1", "Every change in the life of an alert.", 400),
        ("alert.shadow.v1", "trialTransition", "alert.transition.v1", "What a policy on trial would say.", 90),
        (
            "intake.rejected.v1",
            "rejection",
            "rejection.v1",
            "What we hold and cannot use, and where the original is.",
            400,
        ),
    ):
        channel = channels.setdefault(_name(address), _channel(address, text, days))
        channel["messages"][name] = {"$ref": f"#/components/messages/{name}"}
        messages[name] = _message(schema, f"{schema}.schema.json", with_headers=False)
        operations[f"send{name[0].upper()}{name[1:]}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{_name(address)}"},
            "messages": [{"$ref": f"#/channels/{_name(address)}/messages/{name}"}],
        }
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "myelowatch",
            "version": version,
            "description": "Watches laboratory and pharmacy feeds of people taking lenalidomide and dexamethasone, "
            "and says what to do, why, and on which evidence. Topic names begin with a prefix, `onc` unless set.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _name(dotted: str) -> str:
    head, *rest = dotted.replace("-", ".").split(".")
    return head + "".join(part.capitalize() for part in rest)


def _channel(address: str, description: str, days: int = 400) -> Json:
    return {
        "address": "{prefix}." + address,
        "description": description,
        "parameters": {"prefix": {"default": "onc", "description": "The site's topic prefix."}},
        "messages": {},
        "bindings": {
            "kafka": {
                "bindingVersion": "0.5.0",
                "partitions": PARTITIONS,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": days * DAY_MS},
            }
        },
    }


def _message(name: str, schema: str, *, with_headers: bool) -> Json:
    built: Json = {
        "name": name,
        "contentType": "application/json",
        "payload": {"$ref": f"./{schema}"},
        "bindings": {"kafka": {"bindingVersion": "0.5.0", "key": dict(_KEY)}},
    }
    if with_headers:
        built["headers"] = json.loads(json.dumps(_HEADERS))
        built["examples"] = [
            {"name": example.title, "payload": json.loads(example.event.model_dump_json(exclude_none=True))}
            for example in EXAMPLES
            if event_type_of(example.event) == name
        ]
    return built
