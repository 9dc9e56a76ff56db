"""Errors of TensorFlow's where it cannot write, in the system's words."""

import pytest
import tensorflow as tf

from keras_gatelstm.export.errors import as_system_errors, name_file_in_errors

FULL = "No space left on device"


@pytest.mark.parametrize(
    "message",
    [f"/models/.writing-a/1/file; {FULL} [Op:SaveV2]", f"file; {FULL}", FULL],
)
def test_a_full_disk_is_an_error_of_the_system(tmp_path, message):
    said = f"^{tmp_path} could not be written: {FULL}$"
    with (
        pytest.raises(OSError, match=said),
        name_file_in_errors(tmp_path),
        as_system_errors(),
    ):
        raise tf.errors.OutOfRangeError(None, None, message)


def test_the_reason_of_the_system_is_said(tmp_path):
    said = f"^{tmp_path} could not be written: {FULL}$"
    with pytest.raises(OSError, match=said), name_file_in_errors(tmp_path):
        raise OSError(28, FULL, str(tmp_path / ".writing-a"))
