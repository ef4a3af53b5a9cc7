"""The MCP server, over standard input and output or streamable HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from potager import __version__
from potager.faces.api.calling import Caller
from potager.faces.api.operations import operation, operations
from potager.kit.errors import Problem

WhoCalls = Callable[[Any], Caller]
INSTRUCTIONS = """\
Potager answers strategic product questions from governed metrics. Start with answer_question; an answer has a
verdict, an interval, its confidence with reasons, and may refuse: pass a refusal on, do not fill it in. Every
other operation is reached with find_operation, describe_operation and run_operation."""


def build(caller_of: WhoCalls) -> MCPServer[Any]:
    """Return the server; ``caller_of`` gives the caller for the context of a tool call."""
    server: MCPServer[Any] = MCPServer("potager", instructions=INSTRUCTIONS, version=__version__)

    def run(context: Context[Any], operation_id: str, given: dict[str, Any]) -> Any:
        try:
            said = {key: value for key, value in given.items() if value is not None}
            return caller_of(context).run(operation_id, said)
        except Problem as problem:
            raise ToolError(f"{problem.detail} {problem.mend}".strip()) from problem

    @server.tool()
    def find_operation(words: str = "") -> list[dict[str, str]]:
        """Find operations of Potager by words; all of them where none are given."""
        sought = words.lower().split()
        return [
            {"operation": op.id, "does": op.summary}
            for op in operations().values()
            if all(word in f"{op.id} {op.summary}".lower() for word in sought)
        ]

    @server.tool()
    def describe_operation(name: str) -> dict[str, Any]:
        """Describe one operation: what it does and what it takes."""
        try:
            op = operation(name)
        except Problem as problem:
            raise ToolError(f"{problem.detail} {problem.mend}".strip()) from problem
        takes = [
            {"name": part.name, "required": part.required, "help": part.help, "schema": dict(part.schema)}
            for part in op.parameters
        ]
        return {"operation": op.id, "does": op.summary, "changes_something": op.writes, "takes": takes}

    @server.tool()
    def run_operation(name: str, given: dict[str, Any], context: Context[Any]) -> Any:
        """Run one operation with the values given; what it takes is said by describe_operation."""
        return run(context, name, given)

    @server.tool()
    def answer_question(question: str, context: Context[Any]) -> Any:
        """Answer a strategic question in plain words, such as 'Why did revenue fall in March?'."""
        return run(context, "questions_answer_ask", {"text": question})

    @server.tool()
    def explain_change(
        metric: str,
        period: str,
        context: Context[Any],
        against: str = "previous",
        by: list[str] | None = None,
    ) -> Any:
        """Explain why a metric moved: exact contributions by component and by segment, what is unexplained."""
        given = {"name": metric, "period": period, "against": against, "by": by}
        return run(context, "metrics_change_explain", given)

    @server.tool()
    def list_metrics(context: Context[Any], search: str = "") -> Any:
        """List the governed metrics with level, unit, owner and description."""
        return run(context, "metrics_metric_list", {"search": search, "limit": 200})

    return server
