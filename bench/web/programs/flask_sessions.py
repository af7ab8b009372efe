"""Flask with Flask-Session, sessions in SQLite through SQLAlchemy."""
# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, jsonify, session
from flask_session import Session
from flask_sqlalchemy import SQLAlchemy

from bench.web.programs.person import EMAIL


def alone() -> Flask:
    """Make an application without sessions."""
    app = Flask(__name__)
    app.add_url_rule("/me", view_func=lambda: {"email": EMAIL})
    return app


def with_sessions() -> Flask:
    """Make an application that writes a session only when it changes: what Flask-Session does fastest."""
    return _application(refresh=False)


def with_sliding_sessions() -> Flask:
    """Make an application with Flask-Session's defaults: every request writes the session again."""
    return _application(refresh=True)


def sign_in() -> Any:
    """Put the person into the session."""
    session["email"] = EMAIL
    return jsonify({})


def me() -> Any:
    """Answer from the session."""
    email = session.get("email")
    return {"email": email}, 200 if email else 401


def _application(*, refresh: bool) -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{Path('flask.db').absolute()}"
    app.config["SESSION_TYPE"] = "sqlalchemy"
    app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
    database = SQLAlchemy(app)
    with app.app_context(), database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # the file remembers it
    app.config["SESSION_SQLALCHEMY"] = database
    Session(app)
    app.add_url_rule("/sign-in", view_func=sign_in, methods=["POST"])
    app.add_url_rule("/me", view_func=me)
    return app
