"""The application."""

from django.apps import AppConfig


class Blog(AppConfig):
    name = "blog"
