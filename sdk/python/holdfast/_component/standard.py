"""What CPython lacks without OpenSSL, and web frameworks ask for: key derivation.

Both are written with what `hashlib` has, and slower than OpenSSL's.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable


def pbkdf2_hmac(
    hash_name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None
) -> bytes:
    """`hashlib.pbkdf2_hmac` (RFC 8018, section 5.2)."""
    if iterations < 1:
        raise ValueError("iterations must be at least 1")
    size = hashlib.new(hash_name).digest_size
    length = size if dklen is None else dklen
    if length < 1:
        raise ValueError("dklen must be at least 1")
    inner, outer = _pads(hash_name, bytes(password))
    blocks = []
    for number in range(1, -(-length // size) + 1):
        block = _keyed(inner, outer, bytes(salt) + number.to_bytes(4, "big"))
        total = int.from_bytes(block, "big")
        for _ in range(iterations - 1):
            block = _keyed(inner, outer, block)
            total ^= int.from_bytes(block, "big")
        blocks.append(total.to_bytes(size, "big"))
    return b"".join(blocks)[:length]


def _pads(hash_name: str, key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two hashes of HMAC (RFC 2104) with the key in them."""
    inner, outer = hashlib.new(hash_name), hashlib.new(hash_name)
    if len(key) > inner.block_size:
        key = hashlib.new(hash_name, key).digest()
    key = key.ljust(inner.block_size, b"\0")
    inner.update(bytes(byte ^ 0x36 for byte in key))
    outer.update(bytes(byte ^ 0x5C for byte in key))
    return inner, outer


def _keyed(inner: hashlib._Hash, outer: hashlib._Hash, message: bytes) -> bytes:
    first, second = inner.copy(), outer.copy()
    first.update(message)
    second.update(first.digest())
    return second.digest()


def scrypt(
    password: bytes, *, salt: bytes, n: int, r: int, p: int, maxmem: int = 0, dklen: int = 64
) -> bytes:
    """`hashlib.scrypt` (RFC 7914). With the usual `n=2**15, r=8` it takes minutes: take less."""
    if n < 2 or n & (n - 1):
        raise ValueError("n must be a power of 2")
    blocks = pbkdf2_hmac("sha256", password, salt, 1, p * 128 * r)
    size = 128 * r
    mixed = [_mix(blocks[at : at + size], n, r) for at in range(0, p * size, size)]
    return pbkdf2_hmac("sha256", password, b"".join(mixed), 1, dklen)


def _mix(block: bytes, n: int, r: int) -> bytes:
    words = list(struct.unpack(f"<{32 * r}I", block))
    kept = []
    for _ in range(n):
        kept.append(words)
        words = _shuffle(words, r)
    for _ in range(n):
        other = kept[words[(2 * r - 1) * 16] & (n - 1)]
        words = _shuffle([one ^ two for one, two in zip(words, other)], r)
    return struct.pack(f"<{32 * r}I", *words)


def _shuffle(words: list[int], r: int) -> list[int]:
    last = words[-16:]
    even: list[int] = []
    odd: list[int] = []
    for index in range(2 * r):
        part = words[index * 16 : index * 16 + 16]
        last = _salsa([one ^ two for one, two in zip(last, part)])
        (odd if index % 2 else even).extend(last)
    return even + odd


_QUARTERS = (
    *((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)),
    *((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)),
)


def _salsa(words: list[int]) -> list[int]:
    """Salsa20/8 (RFC 7914, section 3)."""
    state = list(words)
    for _ in range(4):
        for a, b, c, d in _QUARTERS:
            for target, one, two, bits in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
                total = (state[one] + state[two]) & 0xFFFFFFFF
                state[target] ^= ((total << bits) | (total >> (32 - bits))) & 0xFFFFFFFF
    return [(one + two) & 0xFFFFFFFF for one, two in zip(state, words)]


def install() -> None:
    """Adds what is missing."""
    functions: dict[str, Callable[..., bytes]] = {"pbkdf2_hmac": pbkdf2_hmac, "scrypt": scrypt}
    for name, function in functions.items():
        if not hasattr(hashlib, name):
            setattr(hashlib, name, function)
