"""How passwords are kept."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Hasher(PBKDF2PasswordHasher):
    """Django's own, with fewer rounds."""

    iterations = 20_000
