"""Embedded files, and the key derivation that CPython lacks without OpenSSL."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import files
from holdfast._component import standard

# In a process of its own: what is installed stays.
PROGRAM = """
import os, sys
from pathlib import Path
from holdfast import files

folder = Path(sys.argv[1])
files.is_in_component = True
files.embed(folder)
os.rename(folder, str(folder) + '-elsewhere')

assert (folder / "a.txt").read_text() == "text\\n"
assert open(folder / "sub/b.bin", "rb").read() == b"\\0\\xff"
assert sorted(os.listdir(folder)) == ["a.txt", "sub"]
assert [entry.name for entry in os.scandir(folder) if entry.is_dir()] == ["sub"]
assert [names for _, _, names in os.walk(folder)] == [["a.txt"], ["b.bin"]]
assert (folder / "a.txt").stat().st_size == 5 and os.path.isdir(folder / "sub")
assert os.path.isfile(os.path.join(str(folder), "sub", "..", "a.txt"))
assert sorted(path.name for path in folder.glob("**/*.bin")) == ["b.bin"]
assert not (folder / "c").exists()
for wrong, mode in ((folder / "c", "r"), (folder / "a.txt", "w"), (folder, "r")):
    try:
        open(wrong, mode)
    except OSError:
        continue
    raise AssertionError(wrong)
"""


def test_embedded_files_are_read_where_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("text\n")
    (folder / "sub/b.bin").write_bytes(b"\0\xff")
    (folder / "sub/c.pyc").write_bytes(b"")
    subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], check=True)


def test_elsewhere_the_files_have_to_be_there(tmp_path: Path) -> None:
    files.embed(tmp_path)
    with pytest.raises(FileNotFoundError):
        files.embed(tmp_path / "absent")


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize(("password", "length"), [(b"", None), (b"p" * 200, 100), (b"secret", 1)])
def test_pbkdf2_is_that_of_openssl(name: str, password: bytes, length: int | None) -> None:
    expected = hashlib.pbkdf2_hmac(name, password, b"salt", 5, length)
    assert standard.pbkdf2_hmac(name, password, b"salt", 5, length) == expected


def test_scrypt_is_that_of_openssl() -> None:
    for n, r, p in ((2, 1, 1), (16, 2, 3), (64, 8, 1)):
        expected = hashlib.scrypt(b"secret", salt=b"salt", n=n, r=r, p=p, dklen=64)
        assert standard.scrypt(b"secret", salt=b"salt", n=n, r=r, p=p) == expected
    with pytest.raises(ValueError):
        standard.scrypt(b"", salt=b"", n=3, r=1, p=1)
