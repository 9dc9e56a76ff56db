"""LiteRT (TFLite) files."""
