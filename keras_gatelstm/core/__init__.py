"""The parts that cells, layers and everything built on them share."""
