"""Loading and encoding of the recipes' data."""
