"""What pytest leaves alone here."""

# Looking for doctests would import them, and with them TensorFlow Serving's
# API, which not everyone has. The program's modules are for its process only.
collect_ignore = ["client.py", "models.py", "rest.py", "server.py"]
