"""Where the recipes' data comes from, and how it turns into numbers."""
