"""A program that answers requests, started once for many tests."""

import atexit
import json
import os
import subprocess
import sys
import tempfile


class ChildProcess:
    """Start a Python program at its first request; end it with the tests.

    Starting TensorFlow takes seconds, answering a request much less.

    Args:
        *arguments: Arguments of Python: the program and its own. It reads
            requests from its standard input and writes an answer to each to
            its standard output, a line of JSON each.
    """

    def __init__(self, *arguments):
        self.arguments = arguments
        self.process = None

    def ask(self, **request):
        """Return the answer to a request.

        Raises:
            RuntimeError: The program ended; the message is its stderr.
        """
        if self.process is None:
            self.start()
        print(json.dumps(request), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"the program ended:\n{self.errors.read()}")
        return json.loads(answer)

    def start(self):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            # A GPU's memory is all taken by the process of the tests.
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        )
        atexit.register(self.process.kill)
