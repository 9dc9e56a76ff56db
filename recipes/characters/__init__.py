"""Models of text, character by character: what their recipes share."""
