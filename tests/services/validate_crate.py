"""What rocrate-validator finds in a crate, up to a severity, as JSON.

Run by the Python of .venv-validators: validate_crate.py CRATE CACHE REQUIRED|RECOMMENDED
(The command's own --output-format json fails on crates in a bag.)
"""

import json
import sys

from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.services import validate

PROFILE = "provenance-run-crate-0.5"


def findings(crate: str, cache: str, severity: str) -> list[dict[str, str]]:
    """Each issue: the check, its message, the entity."""
    settings = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=PROFILE,
        requirement_severity=Severity[severity],
        offline=True,
        cache_path=cache,
    )
    result = validate(settings)
    return [
        {
            "check": issue.check.identifier,
            "severity": issue.severity.name,
            "message": str(issue.message),
            "entity": str(issue.violatingEntity),
        }
        for issue in result.get_issues()
    ]


if __name__ == "__main__":
    print(json.dumps(findings(*sys.argv[1:])))
