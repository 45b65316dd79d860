"""Who somebody is: registration, login, and the session that remembers it."""

import functools
from sqlite3 import IntegrityError

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from . import db

bp = Blueprint("auth", __name__, url_prefix="/auth")

# Python in a component has no OpenSSL, and derives keys more slowly than it would with it.
METHOD = "pbkdf2:sha256:20000"


@bp.before_app_request
def load_user() -> None:
    """Finds the user of the session."""
    user_id = session.get("user_id")
    g.user = None
    if user_id is not None:
        g.user = db.get().execute("SELECT * FROM user WHERE id = ?", (user_id,)).fetchone()


def login_required(view):
    """Sends everybody else to the login."""

    @functools.wraps(view)
    def wrapped(**arguments):
        if g.user is None:
            return redirect(url_for("auth.login"))
        return view(**arguments)

    return wrapped


@bp.route("/register", methods=("GET", "POST"))
def register():
    if request.method == "POST":
        username, password = request.form["username"].strip(), request.form["password"]
        if not username or not password:
            flash("A name and a password are needed.")
        else:
            # It takes its time, and the shorter a connection is open before its commit, the less
            # likely is that somebody else commits meanwhile.
            kept = generate_password_hash(password, method=METHOD)
            try:
                with db.get() as connection:
                    connection.execute("INSERT INTO user (username, password) VALUES (?, ?)", (username, kept))
                return redirect(url_for("auth.login"))
            except IntegrityError:
                flash(f"{username} is registered already.")
    return render_template("auth/form.html", title="Register")


@bp.route("/login", methods=("GET", "POST"))
def login():
    if request.method == "POST":
        name = request.form["username"].strip()
        user = db.get().execute("SELECT * FROM user WHERE username = ?", (name,)).fetchone()
        if user is None or not check_password_hash(user["password"], request.form["password"]):
            flash("The name or the password is wrong.")
        else:
            session.clear()
            session["user_id"] = user["id"]
            return redirect(url_for("index"))
    return render_template("auth/form.html", title="Log in")


@bp.route("/logout", methods=("POST",))
def logout():
    session.clear()
    return redirect(url_for("index"))
