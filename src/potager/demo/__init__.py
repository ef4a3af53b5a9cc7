"""Demonstration organizations, built through the same actions as anybody's.

Harbor is simulated, and every page says so; retail is real and built from a file that its user downloads.
"""
