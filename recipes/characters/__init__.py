"""Shared parts of the recipes for character models."""
