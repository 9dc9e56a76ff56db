"""Scoring of a corpus or of many series by an exported model, part by part."""
