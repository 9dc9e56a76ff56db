"""Recurrent layers trained alike, side by side."""
