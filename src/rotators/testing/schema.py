"""The service's own model, as botocore ships it, applied to a request as it arrives on the wire.

A client library checks little before it sends (boto3 no maximum, curl nothing), so the service checks everything.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from typing import TYPE_CHECKING, Any, cast

from rotators.testing.service_error import ServiceError, invalid_request

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
}


@functools.cache
def service_model() -> ServiceModel:
    """The model of Secrets Manager in the installed botocore."""
    from botocore.loaders import Loader  # noqa: PLC0415 - only a service that is asked needs its model
    from botocore.model import ServiceModel  # noqa: PLC0415

    return ServiceModel(cast("Any", Loader().load_service_model("secretsmanager", "service-2")), "secretsmanager")


@functools.cache
def operation(name: str) -> OperationModel:
    """One operation of it."""
    return service_model().operation_model(name)


def check(name: str, request: dict[str, Any]) -> None:
    """Hold a request against its operation's shape.

    Raises ServiceError: SerializationException for a wrong JSON type, ValidationException for a missing member, a
    length, a range, a pattern or an enumeration. Values of sensitive members are not repeated in the text.
    """
    if name == "PutSecretValue" and request.get("SecretString") == "":
        # Observed: this operation takes an empty text for none at all, before it looks at the length.
        raise invalid_request("You must provide either SecretString or SecretBinary.")
    shape = operation(name).input_shape
    if shape is not None:
        _check(shape, request, "")


def _check(shape: Shape, value: Any, path: str) -> None:
    kind = shape.type_name
    wanted = _TYPES.get(kind)
    if wanted is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
        where = path or "the request"
        raise ServiceError("SerializationException", f"{where} is not a {kind}")
    if kind == "structure":
        _check_structure(cast("StructureShape", shape), value, path)
    elif kind == "list":
        _check_bounds(shape, value, len(value), path)
        for index, item in enumerate(value, start=1):
            _check(cast("ListShape", shape).member, item, f"{path}.{index}.member")
    elif kind == "map":
        for key, item in value.items():
            _check(cast("MapShape", shape).value, item, f"{path}.{key}.member")
    elif kind == "blob":
        _check_bounds(shape, value, len(decoded(value, path)), path)
    elif kind == "string":
        _check_string(shape, value, path)
    elif kind in {"integer", "long"}:
        _check_bounds(shape, value, value, path)


def _check_structure(shape: StructureShape, value: dict[str, Any], path: str) -> None:
    for name, member in shape.members.items():
        where = f"{path}.{_lower(name)}" if path else _lower(name)
        if value.get(name) is not None:
            _check(member, value[name], where)
        elif name in shape.required_members:
            raise _violated("Value null", where, "Member must not be null")


def _check_string(shape: Shape, value: str, path: str) -> None:
    # A password of CJK characters reaches the service's 65,536 bytes long before 65,536 characters.
    _check_bounds(shape, value, len(value.encode("utf-8", "surrogatepass")), path)
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        raise _violated(_value(shape, value), path, f"Member must satisfy regular expression pattern: {pattern}")
    choices = shape.metadata.get("enum")
    if choices is not None and value not in choices:
        raise _violated(_value(shape, value), path, f"Member must satisfy enum value set: [{', '.join(choices)}]")


def _check_bounds(shape: Shape, value: Any, size: int, path: str) -> None:
    what = "value" if shape.type_name in {"integer", "long"} else "length"
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        raise _violated(_value(shape, value), path, f"Member must have {what} greater than or equal to {least}")
    if most is not None and size > most:
        raise _violated(_value(shape, value), path, f"Member must have {what} less than or equal to {most}")


def _value(shape: Shape, value: Any) -> str:
    return "Value" if shape.metadata.get("sensitive") else f"Value '{value}'"


def _violated(value: str, path: str, constraint: str) -> ServiceError:
    text = f"1 validation error detected: {value} at '{path}' failed to satisfy constraint: {constraint}"
    return ServiceError("ValidationException", text)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def decoded(value: str, path: str = "secretBinary") -> bytes:
    """The bytes of a blob on the wire."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ServiceError("SerializationException", f"{path} is not valid Base64") from None
