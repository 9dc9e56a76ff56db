"""Training of the recipes: one loop, in one process or in many."""
