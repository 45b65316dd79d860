"""A blog: people register, log in, write, and change or delete what they have written."""

from flask import Flask


def create_app() -> Flask:
    """Makes the application."""
    from . import auth, blog, db

    app = Flask(__name__)
    app.teardown_appcontext(db.close)
    app.register_blueprint(auth.bp)
    app.register_blueprint(blog.bp)
    app.add_url_rule("/", endpoint="index")
    return app
