from bertsquad.containers.environment import certificate_files, for_apptainer, passed_on


def test_threads_ranks_proxies_and_temporary_folders_go_in():
    wanted = {
        "OMP_NUM_THREADS": "2",
        "VECLIB_MAXIMUM_THREADS": "2",
        "KMP_BLOCKTIME": "1",
        "GOMP_SPINCOUNT": "3000",
        "MASTER_ADDR": "10.0.0.1",
        "RANK": "1",
        "GLOO_SOCKET_IFNAME": "eth0",
        "SLURM_JOB_ID": "7",
        "https_proxy": "http://proxy:3128",
        "NO_PROXY": "localhost",
        "TMPDIR": "/scratch",
        "TF_CPP_MIN_LOG_LEVEL": "1",
    }
    assert passed_on(wanted) == wanted


def test_what_means_files_of_the_host_and_secrets_stay_outside():
    host = {
        "PATH": "/home/me/.venv/bin",
        "LD_LIBRARY_PATH": "/opt/lib",
        "LD_PRELOAD": "/opt/lib/libjemalloc.so",
        "PYTHONPATH": "/home/me",
        "VIRTUAL_ENV": "/home/me/.venv",
        "HOME": "/home/me",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "PIP_INDEX_URL": "https://user:secret@registry.example",
        "SLURM_JWT": "secret",
        "SLURM_REST_AUTH": "secret",
        "TF_TOKEN_app_terraform_io": "secret",
        "TF_VAR_db": "secret",
        "TF_CLI_CONFIG_FILE": "/home/me/.terraformrc",
        "TF_HTTP_PASSWORD": "secret",
        "TORCH_API_KEY": "secret",
        "BERTSQUAD_TOKEN": "secret",
        "bertsquad_secret": "secret",
    }
    assert passed_on(host) == {}


def test_the_user_adds_names():
    assert passed_on({"SLURM_JWT": "x"}, ("SLURM_JWT",)) == {"SLURM_JWT": "x"}
    assert passed_on({"SQUAD_DIR": "/data", "LANG": "C"}, ("SQUAD_DIR",)) == {"SQUAD_DIR": "/data"}


def test_certificates_go_in_with_their_files():
    environment = {"SSL_CERT_FILE": "/etc/ca.pem", "REQUESTS_CA_BUNDLE": "/etc/ca.pem"}
    assert passed_on(environment) == environment
    assert certificate_files(environment) == ["/etc/ca.pem"]


def test_apptainer_gets_the_same_variables_under_its_own_prefix():
    host = {"OMP_NUM_THREADS": "2", "SLURM_JWT": "secret", "HOME": "/home/me"}
    assert for_apptainer(host) == {"APPTAINERENV_OMP_NUM_THREADS": "2"}
    assert for_apptainer(host | {"APPTAINERENV_OMP_NUM_THREADS": "1"}) == {}
