"""Certificate document: a certificate as JSON text that carries its own checksum.

The checksum shows damage and careless edits. It is no signature: whoever rewrites the content can rewrite it too, which
is why results keep the checksum of the certificate that they used.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from calibration.certificate import Certificate
from calibration.errors import BadCertificate
from calibration.kinds import KINDS

FORMAT = "joulebench-certificate"
VERSION = 1

_FREEDOM = "degrees_of_freedom"


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
    kind = content.pop("kind", None)
    if kind not in KINDS:
        raise BadCertificate(f"`kind` must be one of {sorted(KINDS)}, got {kind!r}; a newer joulebench wrote it")
    try:
        return _adapter(str(kind)).validate_python(_each_freedom(content, _null_to_infinite))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "certificate"
        raise BadCertificate(f"{where}: {first['msg']} ({error.error_count()} problems)") from error


@cache
def _adapter(kind: str) -> TypeAdapter[Certificate]:
    return TypeAdapter(KINDS[kind])


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
    content: dict[str, Any] = _each_freedom(asdict(certificate), _infinite_to_null)
    # tuples become lists here, as they will be when the text is read again: the checksum is that of both
    return {"kind": certificate.KIND, **json.loads(json.dumps(content, allow_nan=False))}


def _infinite_to_null(freedom: Any) -> Any:
    return None if isinstance(freedom, float) and math.isinf(freedom) else freedom


def _null_to_infinite(freedom: Any) -> Any:
    return math.inf if freedom is None else freedom


def _each_freedom(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a copy of nested values in which the degrees of freedom of every estimate are changed."""
    if isinstance(value, dict):
        return {key: change(inner) if key == _FREEDOM else _each_freedom(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_each_freedom(inner, change) for inner in value]
    return value
