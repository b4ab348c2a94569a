"""A certificate for 127.0.0.1 and its key, made anew for each run: a key that lies in a repository is no secret. Only
for checks: plain RSA by the book (RFC 8017), written as X.509 (RFC 5280) without a library for it."""

import base64
import hashlib
import secrets
import textwrap
import time
from typing import NamedTuple

KEY_BITS = 2048
"""The least that TLS libraries accept."""

PUBLIC_EXPONENT = 65537

VALID_SECONDS = 24 * 3600
"""Before and after now: a run is shorter, and clocks of containers may be wrong."""

_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
_SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
_SHA256_DIGEST = bytes.fromhex("3031300d060960864801650304020105000420")
_COMMON_NAME, _SUBJECT_NAMES, _BASIC_CONSTRAINTS = (bytes.fromhex(f"0603{oid}") for oid in ("550403", "551d11", "551d13"))
_INTEGER, _BITS, _OCTETS, _TEXT, _TIME, _SEQUENCE, _SET = 0x02, 0x03, 0x04, 0x0C, 0x17, 0x30, 0x31
_TRUE = b"\x01\x01\xff"


class Certificate(NamedTuple):
    """A certificate and its key, as PEM. The certificate signs itself, so that it is its own root."""

    chain: bytes
    key: bytes


def make_certificate() -> Certificate:
    """Return a new certificate. It takes a second or two to find the primes."""
    p, q = _prime(KEY_BITS // 2), _prime(KEY_BITS // 2)
    modulus = p * q
    private = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
    body = _body(modulus)
    signature = pow(int.from_bytes(_padded(body)), private, modulus).to_bytes(KEY_BITS // 8)
    chain = _tlv(_SEQUENCE, body, _SHA256_WITH_RSA, _tlv(_BITS, b"\0", signature))
    numbers = (0, modulus, PUBLIC_EXPONENT, private, p, q, private % (p - 1), private % (q - 1), pow(q, -1, p))
    key = _tlv(_SEQUENCE, *map(_integer, numbers))
    return Certificate(_pem("CERTIFICATE", chain), _pem("RSA PRIVATE KEY", key))


def _body(modulus: int) -> bytes:
    """Return the part of the certificate that is signed: names, validity, public key, extensions."""
    name = _tlv(_SEQUENCE, _tlv(_SET, _tlv(_SEQUENCE, _COMMON_NAME, _tlv(_TEXT, b"interop check"))))
    now = time.time()
    validity = _tlv(_SEQUENCE, _time(now - VALID_SECONDS), _time(now + VALID_SECONDS))
    public = _tlv(_SEQUENCE, _RSA, _tlv(_BITS, b"\0", _tlv(_SEQUENCE, _integer(modulus), _integer(PUBLIC_EXPONENT))))
    names = _tlv(_SEQUENCE, _tlv(0x82, b"localhost"), _tlv(0x87, bytes([127, 0, 0, 1])))
    extensions = _tlv(
        _SEQUENCE,
        _tlv(_SEQUENCE, _BASIC_CONSTRAINTS, _TRUE, _tlv(_OCTETS, _tlv(_SEQUENCE, _TRUE))),
        _tlv(_SEQUENCE, _SUBJECT_NAMES, _tlv(_OCTETS, names)),
    )
    version, serial = _tlv(0xA0, _integer(2)), _integer(secrets.randbits(63) + 1)
    return _tlv(_SEQUENCE, version, serial, _SHA256_WITH_RSA, name, validity, name, public, _tlv(0xA3, extensions))


def _padded(body: bytes) -> bytes:
    """Return the digest as RSASSA-PKCS1-v1_5 signs it."""
    digest = _SHA256_DIGEST + hashlib.sha256(body).digest()
    return b"\0\1" + b"\xff" * (KEY_BITS // 8 - len(digest) - 3) + b"\0" + digest


def _prime(bits: int) -> int:
    while True:
        # The two highest bits set: the product of two such primes has all its bits.
        candidate = secrets.randbits(bits) | (0b11 << (bits - 2)) | 1
        if candidate % PUBLIC_EXPONENT != 1 and _is_prime(candidate):
            return candidate


def _is_prime(number: int) -> bool:
    """Apply the Miller-Rabin test. Five rounds let fewer than 2 ** -100 of the random composites of this size through."""
    if any(number % small == 0 for small in range(3, 2000, 2)):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, odd, twos, secrets.randbelow(number - 3) + 2) for _ in range(5))


def _passes(number: int, odd: int, twos: int, base: int) -> bool:
    value = pow(base, odd, number)
    if value in (1, number - 1):
        return True
    for _ in range(twos - 1):
        value = value * value % number
        if value == number - 1:
            return True
    return False


def _tlv(tag: int, *contents: bytes) -> bytes:
    """Return tag, length and value as DER writes them."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def _integer(number: int) -> bytes:
    return _tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def _time(seconds: float) -> bytes:
    return _tlv(_TIME, time.strftime("%y%m%d%H%M%SZ", time.gmtime(seconds)).encode())


def _pem(label: str, der: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()
