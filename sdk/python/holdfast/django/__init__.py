"""A database backend for Django: SQLite in memory, kept in `wasi:keyvalue`.

    DATABASES = {"default": {"ENGINE": "holdfast.django", "NAME": "blog", "ATOMIC_REQUESTS": True}}

`NAME` is that of the database in `holdfast.sqlite`, whose rules hold here. With
`ATOMIC_REQUESTS` a request's changes are kept before its response is sent; what is changed
outside of transactions is kept when the connection closes, after the response.
"""
