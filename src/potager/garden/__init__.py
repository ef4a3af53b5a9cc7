"""The living document behind it all: words and notes."""
