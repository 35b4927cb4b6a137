"""The OpenAPI 3.1 document, made from the table of operations."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fgbench import __version__

from .operations import Answer, Body, Operation, by_path
from .states import State, Visibility

ID = "^[0-9a-z]{1,64}$"
"""What an id looks like; one that looks otherwise is nobody's."""
MAX_REASON = 400
_JSON = "application/json"
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}


def _object(properties: Mapping[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_FAULT = _object(
    dict.fromkeys(("code", "title", "where", "found", "expected", "why", "fix"), _TEXT)
)
_SUBMISSION = {
    "id": {"type": "string", "pattern": ID},
    "team": _TEXT,
    "name": {"type": "string", "description": "The method's, as its card says; else empty"},
    "sha256": {"type": "string", "description": "Of card and submission together"},
    "size": {**_COUNT, "description": "Bytes"},
    "state": {"enum": [state.value for state in State]},
    "reason": {"type": "string", "description": "Why it failed, or where it is; never empty"},
    "faults": _list("Fault"),
    "visibility": {"enum": [visibility.value for visibility in Visibility]},
    "decision": {"type": "string", "description": "What the admin said"},
    "received": {"type": "string", "format": "date-time"},
    "updated": {"type": "string", "format": "date-time"},
    "attempts": _COUNT,
    "summary": {"type": "object", "description": "The numbers, once it is done"},
    "version": _COUNT,
}
SCHEMAS: Mapping[str, Any] = {
    "Error": _object(
        {**dict.fromkeys(("code", "what", "why", "fix"), _TEXT), "faults": _list("Fault")},
        optional=("faults",),
    ),
    "Fault": _FAULT,
    Answer.SUBMISSION: _object(_SUBMISSION),
    Answer.SUBMISSIONS: _object({"submissions": _list(Answer.SUBMISSION)}),
    Answer.PUBLICATIONS: _object(
        {"requested": _list(Answer.SUBMISSION), "published": _list(Answer.SUBMISSION)}
    ),
    Answer.AUDIT: _object({"entries": _list("AuditEntry")}),
    "AuditEntry": _object(
        {
            "at": {"type": "string", "format": "date-time"},
            **dict.fromkeys(("actor", "action", "submission", "detail"), _TEXT),
        }
    ),
    Answer.INDEX: {"type": "object", "required": ["api", "benchmark", "protocol", "limits"]},
    Answer.HEALTH: _object({"ok": {"const": True}}),
    Answer.RECORD: {"type": "object"},
    Answer.OPENAPI: {"type": "object"},
    Body.UPLOAD: {
        "type": "object",
        "properties": {
            "card": {"type": "string", "minLength": 1, "contentMediaType": "application/yaml"},
            "submission": {
                "type": "string",
                "minLength": 1,
                "contentMediaType": "application/octet-stream",
            },
        },
        "required": ["card", "submission"],
        "additionalProperties": False,
    },
    Body.REFUSAL: _object(
        {
            "reason": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_REASON,
                "pattern": r"[^\s]",
                "description": "Plain text; line breaks become blanks",
            }
        }
    ),
}
_BODIES: Mapping[Body, str] = {Body.UPLOAD: "multipart/form-data", Body.REFUSAL: _JSON}


def describe() -> dict[str, Any]:
    """The document as one JSON object."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fgbench leaderboard",
            "version": __version__,
            "description": "Hand in a submission, see what becomes of it, ask to publish it.",
        },
        "paths": {
            path: {operation.method.lower(): _operation(operation) for operation in operations}
            for path, operations in by_path().items()
        },
        "components": {
            "schemas": {str(name): schema for name, schema in SCHEMAS.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def statuses(operation: Operation) -> tuple[int, ...]:
    """Every status that an operation may answer with."""
    known = {operation.done, *operation.statuses, 400, 408, 421, 500, 503}
    if not operation.public:
        known |= {401, 403, 429}
    if operation.by_id:
        known.add(404)
    if operation.body is not None:
        known |= {413, 415, 422}
    if operation.tagged:
        known.add(304)
    return tuple(sorted(known))


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {str(s): _response(operation, s) for s in statuses(operation)},
        "security": [] if operation.public else [{"token": []}],
    }
    if operation.role is not None:
        described["description"] = f"For tokens of role {operation.role.value}."
    if operation.body is not None:
        content = {_BODIES[operation.body]: {"schema": _reference(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if operation.by_id:
        schema = {"type": "string", "pattern": ID}
        found.append({"name": "id", "in": "path", "required": True, "schema": schema})
    if operation.tagged:
        said = "A tag that an earlier answer had as ETag"
        tag = {"name": "If-None-Match", "in": "header", "required": False, "schema": _TEXT}
        found.append(tag | {"description": said})
    return found


def _response(operation: Operation, status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    headers = []
    if status == operation.done or status == 200:
        described["content"] = _content(operation.answer)
        headers = _carried(operation)
    elif status == 304:
        headers = ["ETag"]
    else:
        described["content"] = {_JSON: {"schema": _reference("Error")}}
        headers = ["Retry-After"] if status in (429, 503) else []
    if headers:
        described["headers"] = {name: {"schema": _TEXT} for name in headers}
    return described


def _carried(operation: Operation) -> list[str]:
    """The headers of an answer that says yes."""
    if operation.body is Body.UPLOAD:
        return ["Location"]
    return ["ETag"] if operation.tagged else []


def _content(answer: Answer) -> dict[str, Any]:
    if "/" in answer.value:
        return {answer.value: {"schema": {"type": "string"}}}
    return {_JSON: {"schema": _reference(answer)}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
