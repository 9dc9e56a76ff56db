"""Texts, whole and in pieces."""

import os
import queue
import socketserver
import threading
from http.client import BadStatusLine
from urllib.error import URLError

import pytest

from recipes.console import UsageError
from recipes.data import downloads, text


def test_the_standard_librarys_text_needs_no_download():
    splits = text.load("stdlib")
    assert splits.train.bytes > 300_000
    assert "assert" in str(splits.train)
    assert splits.validation.bytes == pytest.approx(splits.test.bytes, abs=4)


def test_a_file_is_cut_in_order(tmp_path):
    content = "".join(chr(0x4E00 + i) for i in range(100))
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + content.encode())
    parts = [str(part) for part in text.load(str(tmp_path / "a.txt"))]
    assert "".join(parts) == content
    assert list(map(len, parts)) == [90, 5, 5]


def test_of_a_long_text_a_million_bytes_are_held_out(tmp_path):
    (tmp_path / "a.txt").write_text("abcd" * 6_000_000)
    parts = text.load(str(tmp_path / "a.txt"))
    assert [it.bytes for it in parts] == [22_000_000, 1_000_000, 1_000_000]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1000])
def test_pieces_are_the_whole_wherever_they_end(monkeypatch, piece):
    monkeypatch.setattr(text, "PIECE", piece)
    content = "aé漢🌍" * 50
    whole = text.Text(content.encode())
    assert str(whole) == content
    parts = whole.cut(11, 12, 13, 14, 15)
    assert "".join(map(str, parts)) == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"caf\xe9 au lait", "is not UTF-8: .* at byte 3"),
        (None, "there is no file"),
    ],
)
def test_unreadable_files_are_refused(tmp_path, content, message):
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        str(text.load(str(path)).train)


@pytest.mark.parametrize("piece", [2, 7, 1000])
@pytest.mark.parametrize("broken", [b"\xff", b"\xf0\x9f", b"\xc3("])
def test_the_byte_that_is_not_utf8_is_named(monkeypatch, piece, broken):
    monkeypatch.setattr(text, "PIECE", piece)
    before = "aé漢🌍".encode() * 3
    with pytest.raises(UsageError, match=f"at byte {len(before)};"):
        str(text.Text(before + broken))


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="pipe is a pipe or a device"):
        text.load(str(tmp_path / "pipe"))


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is a directory"):
        text.load(str(tmp_path))


@pytest.mark.parametrize(
    "error",
    [
        URLError("no route to host"),
        ConnectionResetError("no route to host"),
        BadStatusLine("no route to host"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_downloaded_is_said(tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(downloads, "urlopen", fail)
    with pytest.raises(UsageError, match=r"no route to host.*--manual-dir"):
        text.load("tiny_shakespeare", str(tmp_path))


@pytest.fixture
def callers(monkeypatch):
    """Who called a proxy that hangs up on everyone."""
    found = queue.Queue()

    class HangUp(socketserver.BaseRequestHandler):
        def handle(self):
            found.put(self.client_address)

    with socketserver.TCPServer(("127.0.0.1", 0), HangUp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("https_proxy", address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        # What urlopen made at its first call, with the proxies of then.
        monkeypatch.setattr("urllib.request._opener", None)
        yield found
        server.shutdown()


def test_no_network_is_noticed_at_the_first_try(tmp_path, callers):
    with pytest.raises(UsageError, match="--manual-dir"):
        text.load("tiny_shakespeare", str(tmp_path))
    callers.get(timeout=60)
    assert callers.empty()


def test_a_manual_folder_without_the_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"there is no input.txt in"):
        text.load("tiny_shakespeare", str(tmp_path), str(tmp_path))


def test_another_file_than_the_one_expected_is_refused(tmp_path):
    (tmp_path / "input.txt").write_text("To be, or not to be")
    with pytest.raises(UsageError, match="checksum differs"):
        text.load("tiny_shakespeare", str(tmp_path / "data"), str(tmp_path))


def test_tiny_shakespeare_has_the_splits_of_tensorflow_datasets(
    tmp_path, tiny_shakespeare
):
    splits = text.load("tiny_shakespeare", str(tmp_path), tiny_shakespeare)
    assert [it.bytes for it in splits] == [1_003_854, 55_770, 55_770]
    assert str(splits.train).startswith("First Citizen:\nBefore we proceed")
