"""The posts."""

import json

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from holdfast import topics

from . import db
from .auth import login_required

bp = Blueprint("blog", __name__)


@bp.route("/")
def index():
    posts = db.get().execute(
        "SELECT post.*, username FROM post JOIN user ON user.id = author_id ORDER BY post.id DESC"
    )
    return render_template("blog/index.html", posts=posts.fetchall())


@bp.route("/create", methods=("GET", "POST"))
@login_required
def create():
    if request.method == "POST" and is_complete():
        with db.get() as connection:
            connection.execute(
                "INSERT INTO post (title, body, author_id) VALUES (?, ?, ?)",
                (request.form["title"], request.form["body"], g.user["id"]),
            )
        # Open pages show it at once: the host holds their sockets.
        news = {"title": request.form["title"], "author": g.user["username"]}
        topics.publish("posts", json.dumps(news))
        return redirect(url_for("index"))
    return render_template("blog/form.html", title="New post", post=request.form)


@bp.route("/<int:id>/update", methods=("GET", "POST"))
@login_required
def update(id: int):
    post = own_post(id)
    if request.method == "POST" and is_complete():
        with db.get() as connection:
            connection.execute(
                "UPDATE post SET title = ?, body = ? WHERE id = ?",
                (request.form["title"], request.form["body"], id),
            )
        return redirect(url_for("index"))
    return render_template("blog/form.html", title=f"Edit “{post['title']}”", post=request.form or post, id=id)


@bp.route("/<int:id>/delete", methods=("POST",))
@login_required
def delete(id: int):
    own_post(id)
    with db.get() as connection:
        connection.execute("DELETE FROM post WHERE id = ?", (id,))
    return redirect(url_for("index"))


def is_complete() -> bool:
    """Whether a form has a title; says so if not."""
    if not request.form["title"].strip():
        flash("A title is needed.")
        return False
    return True


def own_post(id: int):
    """A post of this user; 404 if there is none, 403 if it is somebody else's."""
    post = db.get().execute("SELECT * FROM post WHERE id = ?", (id,)).fetchone()
    if post is None:
        abort(404)
    if post["author_id"] != g.user["id"]:
        abort(403)
    return post
