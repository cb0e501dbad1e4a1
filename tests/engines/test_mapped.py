"""Mapped files: their pages are given back and come again."""

from bertsquad.engines.mapped import map_file, released


def test_released_pages_come_back(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(bytes(range(256)) * 64)
    mapped = map_file(path)
    with released(mapped):
        assert mapped[:] == path.read_bytes()
    assert mapped[:] == path.read_bytes()


def test_what_is_written_to_it_stays_out_of_the_file(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"as they are")
    mapped = map_file(path)
    mapped[:2] = b"AS"
    assert path.read_bytes() == b"as they are"
