"""Assembly and nothing else: settings, addresses, the server's and the worker's entry points."""
