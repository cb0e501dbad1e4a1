"""Which environment variables go into a container, and which certificates with them."""

import re
from collections.abc import Iterable, Mapping

# What decides how a computation runs, how ranks find each other, and how the network is reached.
# PATH, LD_*, PYTHON* and the like mean files of the host and stay behind.
_PASSED = re.compile(
    r"""
    .*_NUM_THREADS | VECLIB_MAXIMUM_THREADS
    | (OMP | GOMP | KMP | MKL | DNNL | ONEDNN | OPENBLAS | NUMEXPR | ATEN | OV)_.*
    | (TORCH | TORCHELASTIC | GLOO | XLA)_.*
    | TF_(?!TOKEN_|VAR_|CLI_|HTTP_|CLOUD_|REGISTRY_|LOG|DATA_DIR|WORKSPACE).*  # not Terraform's
    | (RANK | WORLD_SIZE | LOCAL_RANK | LOCAL_WORLD_SIZE | GROUP_RANK | MASTER_ADDR | MASTER_PORT)
    | SLURM_.*
    | (HTTP | HTTPS | FTP | ALL | NO)_PROXY | (http | https | ftp | all | no)_proxy
    | TMPDIR | TMP | TEMP | TEMPDIR
    | MALLOC_.* | TZ | NO_COLOR | SOURCE_DATE_EPOCH
    | BERTSQUAD_.*
    """,
    re.VERBOSE,
)
# What holds a secret stays behind whatever its prefix: SLURM_JWT, BERTSQUAD_TOKEN, TORCH_API_KEY.
_SECRET = re.compile(
    r"(^|.*_)(JWT|TOKENS?|SECRETS?|PASS|PASSW(OR)?D|PASSPHRASE|CREDENTIALS?|AUTH|"
    r"(API|ACCESS|PRIVATE|SIGNING|ENCRYPTION)_?KEY|COOKIE)($|_.*)",
    re.IGNORECASE,
)
# Files with the certificates to trust; mounted where they are, over those of the image.
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def passed_on(environment: Mapping[str, str], more: Iterable[str] = ()) -> dict[str, str]:
    """The part of the environment that a container gets; `more` are names the user adds, secrets
    too."""
    wanted = {*more, *_CERTIFICATES}
    return {
        name: value
        for name, value in environment.items()
        if name in wanted or (_PASSED.fullmatch(name) and not _SECRET.fullmatch(name))
    }


def for_apptainer(environment: Mapping[str, str]) -> dict[str, str]:
    """The same variables under the names by which `apptainer --cleanenv` still passes them on.

    What the user has put there in this way (APPTAINERENV_NAME) stays as it is.
    """
    prefix = "APPTAINERENV_"
    own = {name: value for name, value in environment.items() if not name.startswith(prefix)}
    named = {prefix + name: value for name, value in passed_on(own).items()}
    return {name: value for name, value in named.items() if name not in environment}


def certificate_files(environment: Mapping[str, str]) -> list[str]:
    """The certificate files that the environment names, each once."""
    return list(dict.fromkeys(environment[name] for name in _CERTIFICATES if environment.get(name)))
