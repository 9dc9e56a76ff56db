"""Shared parts of the recipes that forecast series."""
