"""The page in which a model runs."""
