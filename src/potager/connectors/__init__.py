"""Where data comes from: one folder per source, found through the entry points ``potager.connectors``.

A connector reads its source into typed Arrow batches and sets aside what it cannot read, with the reason.
It knows no context and writes nothing: ``ground.connecting`` calls it and keeps what it yields.
"""
