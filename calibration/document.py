"""Certificate document: a certificate as JSON text that carries its own checksum.

The checksum shows damage and careless edits. It is no signature: whoever rewrites the content can rewrite it too, which
is why results keep the checksum of the certificate that they used.
"""

import hashlib
import json
import math
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from calibration.certificate import Certificate
from calibration.errors import BadCertificate

FORMAT = "joulebench-certificate"
VERSION = 1

_ESTIMATES = ("gain", "zero_a")


def sha256_of(certificate: Certificate) -> str:
    """Return the checksum of a certificate's content, 64 hexadecimal digits."""
    return _sha256(_to_content(certificate))


def certificate_to_text(certificate: Certificate) -> str:
    """Return a certificate as JSON text."""
    content = _to_content(certificate)
    document = {"format": FORMAT, "version": VERSION, "sha256": _sha256(content), "certificate": content}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def text_to_certificate(text: str | bytes) -> Certificate:
    """Return the certificate that a JSON text holds.

    Raises:
        BadCertificate: the text is no such document, was changed after it was written, or holds what cannot be.
    """
    content = _checked_content(text)
    try:
        return _adapter().validate_python(_with_infinite_freedom(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "certificate"
        raise BadCertificate(f"{where}: {first['msg']} ({error.error_count()} problems)") from error


@cache
def _adapter() -> TypeAdapter[Certificate]:
    return TypeAdapter(Certificate)


def _checked_content(text: str | bytes) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadCertificate(f"is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadCertificate(f"is no certificate: `format` must be {FORMAT!r}")
    if document.get("version") != VERSION:
        raise BadCertificate(
            f"`version` must be {VERSION}, got {document.get('version')!r}; a newer joulebench wrote it"
        )
    content = document.get("certificate")
    if not isinstance(content, dict):
        raise BadCertificate("`certificate` must be an object")
    if document.get("sha256") != _sha256(content):
        raise BadCertificate(
            "was changed after it was written: its content does not have the checksum that it states; "
            "restore it from a backup, or move it away and calibrate again"
        )
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _sha256(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _to_content(certificate: Certificate) -> dict[str, Any]:
    """Return plain JSON values; infinite degrees of freedom, which JSON cannot say, become null."""
    content = asdict(certificate)
    for name in _ESTIMATES:
        if math.isinf(content[name]["degrees_of_freedom"]):
            content[name]["degrees_of_freedom"] = None
    return content


def _with_infinite_freedom(content: dict[str, Any]) -> dict[str, Any]:
    restored = dict(content)
    for name in _ESTIMATES:
        estimate = content.get(name)
        if isinstance(estimate, dict) and estimate.get("degrees_of_freedom", 0) is None:
            restored[name] = estimate | {"degrees_of_freedom": math.inf}
    return restored
