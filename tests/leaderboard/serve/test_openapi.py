"""The OpenAPI document: of every operation, and of nothing that is not there."""

from __future__ import annotations

import json

import pytest
from small_service import hosted
from starlette.routing import Route

from fgbench.leaderboard.serve.api import Api
from fgbench.leaderboard.serve.dispatch import Dispatch
from fgbench.leaderboard.serve.openapi import describe
from fgbench.leaderboard.serve.operations import OPERATIONS


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with hosted(tmp_path_factory.mktemp("openapi")) as board:
        yield board


def references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        node = list(node.values())
    for inner in node if isinstance(node, list) else []:
        yield from references(inner)


def test_it_tells_of_the_routes_that_there_are(board):
    document = board.client().get("/api/v1/openapi.json").json()
    told = {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    }
    there = set()
    for route in Api(board.service).routes():
        assert isinstance(route, Route)
        assert isinstance(route.app, Dispatch)
        there |= {(route.path, method) for method in route.app.methods - {"HEAD"}}
    assert told == there == {(o.path, o.method) for o in OPERATIONS}


def test_every_reference_leads_somewhere():
    document = describe()
    for reference in references(document):
        node = document
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]
    json.dumps(document, allow_nan=False)


def test_it_is_valid():
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(describe())


def test_answers_are_as_it_says(board):
    jsonschema = pytest.importorskip("jsonschema")
    document = describe()
    found = board.done("gulls")
    board.hand_in("gulls")
    team, keeper = board.program("gulls"), board.program("keeper")
    team.post(f"/api/v1/submissions/{found}/publication")
    for client in (team, keeper):
        for operation in OPERATIONS:
            path = operation.path.replace("{id}", found)
            answer = client.request(operation.method, path)
            described = document["paths"][operation.path][operation.method.lower()]
            told = described["responses"][str(int(answer.status_code))].get("content", {})
            kind = answer.headers.get("content-type", "").partition(";")[0]
            if operation.method == "DELETE":
                continue
            assert kind in told, (operation.name, answer.status_code)
            if kind == "application/json":
                schema = told[kind]["schema"] | {"components": document["components"]}
                jsonschema.validate(answer.json(), schema)
