import json
import subprocess

from bertsquad.containers.sif import add_metadata, environment_script


def test_the_images_environment_and_labels_go_in(tmp_path):
    (tmp_path / ".dockerenv").touch()
    add_metadata(tmp_path, {"Env": ["LANG=C.UTF-8"], "Labels": {"a": "b"}})
    script = tmp_path / ".singularity.d/env/10-docker2singularity.sh"
    assert script.read_text() == "export LANG=C.UTF-8\n"
    assert json.loads((tmp_path / ".singularity.d/labels.json").read_text()) == {"a": "b"}
    assert not (tmp_path / ".dockerenv").exists()


def test_values_survive_the_shell():
    script = environment_script(['A=it\'s $HOME = "x"'])
    done = subprocess.run(["sh", "-c", f'{script} printf %s "$A"'], capture_output=True, text=True)
    assert done.stdout == 'it\'s $HOME = "x"'


def test_an_image_without_environment_and_labels(tmp_path):
    add_metadata(tmp_path, {"Env": None, "Labels": None})
    assert json.loads((tmp_path / ".singularity.d/labels.json").read_text()) == {}
