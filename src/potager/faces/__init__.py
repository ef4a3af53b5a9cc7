"""Four ways in (API, web, command line, assistants), one way through: queries and actions."""
