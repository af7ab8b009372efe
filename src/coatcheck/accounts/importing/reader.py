"""Reading users out of a stream, one row after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ..._core.json import JSONError, decode_object
from ..errors import ImportRefusedError
from ..hashes.firebase import FirebaseParameters
from .containers import HEAD_OCTETS, Container, Unreadable, detect, read_cells, read_lines, read_objects
from .fields import FieldError, read_email, read_flag, read_password_hash, read_scopes, read_time
from .model import ImportedUser
from .origins import FIREBASE_COLUMNS, NotAUserError, column_name, common_fields, known_columns

__all__ = ["UserReader"]

_MOST_DEPTH = 16
_FEWEST_FIREBASE_COLUMNS = 27

_Row = Mapping[str, Any] | Unreadable


class UserReader:
    """An iterator over the rows of a file. Each is an ``ImportedUser`` or, not raised, an ``ImportRefusedError``.

    ::

        reader = UserReader(iter(partial(file.read, 65536), b""))
        for row in reader:
            show_progress(reader.octets)

    Attributes:
        container: How rows stand in the file; ``None`` before the first was read, or if it is no such file.
        octets: How much of the file was read so far.
        rows: How many rows were read so far.
        ignored: The columns of a CSV file that mean nothing here.
    """

    def __init__(
        self,
        source: Iterable[bytes],
        *,
        firebase: FirebaseParameters | None = None,
        keep_unverified_passwords: bool = False,
    ) -> None:
        """Take a file.

        Args:
            source: Its octets, in chunks of any size.
            firebase: For an export of Firebase, the password hash parameters of the project.
            keep_unverified_passwords: Whether one whose address was never verified keeps the password. It may be the
                password of somebody who signed up with the address of another; but Firebase, for one, verifies no
                address unless the application asks for it.
        """
        self.container: Container | None = None
        self.octets: int = 0
        self.rows: int = 0
        self.ignored: frozenset[str] = frozenset()
        self._firebase = firebase
        self._keeps_unverified = keep_unverified_passwords
        self._seen: dict[str, int] = {}
        self._results = self._read(source)

    def __iter__(self) -> Iterator[ImportedUser | ImportRefusedError]:
        return self

    def __next__(self) -> ImportedUser | ImportRefusedError:
        return next(self._results)

    def _read(self, source: Iterable[bytes]) -> Iterator[ImportedUser | ImportRefusedError]:
        chunks = self._counted(source)
        head = _take_head(chunks)
        try:
            self.container = detect(head)
        except ImportRefusedError as error:
            yield error
            return
        for row in self._rows_of(chain([head], chunks)):
            self.rows += 1
            yield self._user_of(row)

    def _counted(self, source: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in source:
            self.octets += len(chunk)
            yield chunk

    def _rows_of(self, chunks: Iterable[bytes]) -> Iterator[_Row]:
        if self.container is Container.CSV:
            return self._csv_rows(chunks)
        if self.container is Container.JSON_LINES:
            return map(_json_row, filter(_is_not_blank, read_lines(chunks)))
        return map(_json_row, read_objects(chunks))

    def _csv_rows(self, chunks: Iterable[bytes]) -> Iterator[_Row]:
        rows = read_cells(chunks)
        header = next(rows, Unreadable("the file is empty"))
        if isinstance(header, Unreadable):
            yield header
            return
        names = [column_name(name) for name in header]
        if known_columns(names):
            if len(set(names)) < len(names):
                yield Unreadable("the header names a column twice")
                return
            self.ignored = frozenset(
                name for name in header if not common_fields({name: "?"}) and column_name(name) != "uid"
            )
        elif self._firebase is not None and len(names) >= _FEWEST_FIREBASE_COLUMNS:
            names = [FIREBASE_COLUMNS.get(index, f"column{index}") for index in range(len(names))]
            rows = chain([header], rows)
        else:
            yield Unreadable(
                "the first line names no column 'email' (an export of Firebase has no such line, but needs the "
                "password hash parameters of the project)"
            )
            return
        for cells in rows:
            yield cells if isinstance(cells, Unreadable) else _csv_row(names, cells)

    def _user_of(self, row: _Row) -> ImportedUser | ImportRefusedError:
        if isinstance(row, Unreadable):
            return ImportRefusedError(row, row=self.rows)
        try:
            user = self._make(common_fields(row))
        except NotAUserError:
            return ImportRefusedError("it is no user", row=self.rows)
        except FieldError as error:
            return ImportRefusedError(str(error), row=self.rows)
        first = self._seen.setdefault(user.key, self.rows)
        if first != self.rows:
            return ImportRefusedError(f"row {first} has the same e-mail address", row=self.rows)
        return user

    def _make(self, fields: Mapping[str, Any]) -> ImportedUser:
        address = read_email(fields.get("email"))
        password_hash = read_password_hash(
            fields.get("password_hash"), salt=fields.get("salt"), firebase=self._firebase
        )
        # An empty cell says as little as a column that is not there.
        stated = fields.get("email_verified")
        verified = stated is None or stated == "" or read_flag(stated, name="email_verified")
        active = fields.get("active") is None or read_flag(fields["active"], name="active")
        return ImportedUser(
            row=self.rows,
            email=address.email,
            key=address.key,
            password_hash=password_hash if verified or self._keeps_unverified else None,
            email_verified=verified,
            scopes=read_scopes(fields.get("scopes")),
            created_at=read_time(fields.get("created_at")),
            disabled=read_flag(fields.get("disabled"), name="disabled") or not active,
        )


def _take_head(chunks: Iterator[bytes]) -> bytes:
    """Return the first chunks as one, long enough to tell what the file is."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_OCTETS:
            break
    return head


def _is_not_blank(line: bytes | Unreadable) -> bool:
    return isinstance(line, Unreadable) or bool(line.strip())


def _json_row(text: bytes | Unreadable) -> _Row:
    if isinstance(text, Unreadable):
        return text
    try:
        return decode_object(text, max_depth=_MOST_DEPTH)
    except JSONError as error:
        return Unreadable(str(error))


def _csv_row(names: list[str], cells: list[str]) -> _Row:
    if len(cells) != len(names):
        return Unreadable(f"it has {len(cells)} cells, but there are {len(names)} columns")
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return Unreadable("it is not in UTF-8")
    return dict(zip(names, cells, strict=True))
