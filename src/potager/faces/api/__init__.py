"""The contract: one HTTP API, from which the command line and the assistants' tools are derived."""
