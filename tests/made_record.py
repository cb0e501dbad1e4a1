"""A job's record, made by hand."""

from bertsquad.certificate.record import Record, cpu_sha256, json_sha256, listing_sha256


def made_record() -> Record:
    """A literal one: finetune of a run called demo."""
    code = {"bertsquad/training/optimizer.py": "a" * 64, "finetune.py": "b" * 64}
    params = {"options": "--epochs 2 --seed 0"}
    return {
        "format": "bertsquad-record/1",
        "id": "finetune/demo",
        "rule": "finetune",
        "wildcards": {"run": "demo"},
        "code": code,
        "code_sha256": listing_sha256(code),
        "edited": {},
        "params": params,
        "params_sha256": json_sha256(params),
        "inputs": {"resources/checkpoints/demo/vocab.txt": {"sha256": "c" * 64, "bytes": 7}},
        "outputs": {"demo/model/vocab.txt": {"sha256": "c" * 64, "bytes": 7}},
        "declared": ["demo/model/vocab.txt"],
        "argv": ["finetune.py", "--output", "demo/model"],
        "host": "n1",
        "node": None,
        "job": None,
        "cpu": "AMD EPYC 9755",
        "cpu_flags": ["avx2"],
        "cpu_sha256": cpu_sha256("AMD EPYC 9755", ["avx2"]),
        "kernel": "6.1.0",
        "libc": "glibc 2.36",
        "python": "3.11.2",
        "packages": {"torch": "2.13.0+cpu"},
        "container": None,
        "environment": {"OMP_NUM_THREADS": "2"},
        "started": "2026-11-30T12:00:00.000+00:00",
        "ended": "2026-11-30T12:00:09.500+00:00",
    }
