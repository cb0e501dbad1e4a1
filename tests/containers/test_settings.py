import pytest

from bertsquad.console.errors import UserError
from bertsquad.containers.settings import Settings, read_settings


def test_without_variables_the_defaults_hold():
    assert read_settings({"HOME": "/root"}) == Settings()


def test_every_variable_is_read():
    assert read_settings(
        {
            "BERTSQUAD_DOCKER_IMAGE": "registry.example/bertsquad:1",
            "BERTSQUAD_DOCKER_MEMORY": "8G",
            "BERTSQUAD_DOCKER_CPUS": "0-3,8",
            "BERTSQUAD_DOCKER_SHM_SIZE": "512m",
            "BERTSQUAD_DOCKER_NETWORK": "none",
            "BERTSQUAD_DOCKER_BINDING": "yes",
            "BERTSQUAD_DOCKER_MOUNTS": "/data:/scratch",
            "BERTSQUAD_DOCKER_ENV": "SQUAD_DIR, LANG",
        }
    ) == Settings(
        image="registry.example/bertsquad:1",
        memory="8g",
        cpus="0-3,8",
        shm_size="512m",
        network="none",
        binding=True,
        mounts=("/data", "/scratch"),
        env=("SQUAD_DIR", "LANG"),
    )


def test_an_empty_variable_is_an_unset_one():
    assert read_settings({"BERTSQUAD_DOCKER_MEMORY": " "}).memory is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("BERTSQUAD_DOCKER_MEMORY", "8 GB", "expected a size such as 512m or 8g"),
        ("BERTSQUAD_DOCKER_CPUS", "all", "expected processors such as 0-7 or 0,2,4-5"),
        ("BERTSQUAD_DOCKER_BINDING", "maybe", "expected yes or no"),
        ("BERTSQUAD_DOCKER_MEMROY", "8g", "did you mean BERTSQUAD_DOCKER_MEMORY"),
    ],
)
def test_a_mistake_is_named(name, value, message):
    with pytest.raises(UserError, match=message) as caught:
        read_settings({name: value})
    assert str(caught.value).startswith(f"{name}: ")
