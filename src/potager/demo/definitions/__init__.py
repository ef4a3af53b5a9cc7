"""The definitions of both demonstrations as package data: what newcomers read and copy."""
