"""The authorization endpoint: one dispatcher over stored state (RFC 6749 section 3.1, OpenID Connect Core 3.1.2).

A request is answered at once if nothing is left to do. Otherwise it is put down as an interaction, under a handle of
its own, and its user is sent to a page; whatever they do there, they come back with the handle, and what comes next is
read from what is stored. So a restart loses nothing, and two tabs do not mix.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from ..._core.secrets import digest, new_token
from ...accounts.model import User
from ...accounts.throttle import request_limits, user_request_limits
from ...identity import Client
from ...oauth.authorization_request import read_request, return_address
from ...oauth.dispatch import (
    Answer,
    AskConsent,
    ReAuthenticate,
    Refuse,
    SelectAccount,
    SignIn,
    SignUp,
    Step,
    next_step,
)
from ...oauth.errors import (
    AccessDeniedError,
    InteractionOverError,
    InvalidClientError,
    OAuthError,
    UnsafeRequestError,
)
from ...oauth.model import AuthorizationCode, AuthorizationRequest, Interaction, OAuthClient
from ...oauth.parameters import Parameters
from ...oauth.replies import Reply, ReturnAddress, address_of, error_reply, success_reply
from ...oauth.vocabulary import PUSHED_REQUEST
from ...sessions.model import Session
from ..attempts import admit
from .clients import cached_client
from .codes import issue_code
from .consent import ConsentQuestion, question_of, remembered
from .front_channel_tokens import id_token_for
from .metadata_documents import client_by_document
from .opening import open_for_client
from .requests import rules_for
from .situations import Loaded, client_still, load, present

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records
    from .issuing import TokenIssuer
    from .pushed_requests import PushedRequests

__all__ = ["AccountQuestion", "Authorization", "Go", "Outcome", "Preview"]

_log = logging.getLogger("coatcheck.provider")


class Go(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The user has to go to a page, and comes back from there.

    Attributes:
        page: Which.
        handle: The secret by which they come back.
        other: Whether somebody else is to sign in than who is signed in.
    """

    page: Literal["sign-in", "sign-up", "re-authenticate", "continue"]
    handle: str
    other: bool = False

    def __repr__(self) -> str:
        return f"<Go {self.page}>"


class AccountQuestion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The user is asked with which account they want to go on.

    Attributes:
        client: Who asks.
        redirect_uri: Where the answer would go.
        email: The account that is signed in.
        session_id: Its session.
        may_create: Whether the client asks for a new account.
    """

    client: OAuthClient
    redirect_uri: str
    email: str
    session_id: str
    may_create: bool


class Preview(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the pages on the way tell of where it leads.

    Attributes:
        client: Who asks.
        redirect_uri: Where the answer will go.
        login_hint: The address to fill in, or ``""``.
    """

    client: OAuthClient
    redirect_uri: str
    login_hint: str


Outcome = Reply | Go | ConsentQuestion | AccountQuestion


class Authorization:
    """From an authorization request to its answer."""

    def __init__(self, context: Context, issuer: TokenIssuer, pushed_requests: PushedRequests) -> None:
        """Take what all flows share, what signs tokens, and where pushed requests are."""
        self._context = context
        self._tokens = issuer
        self._pushed = pushed_requests
        self._issuer = context.access_tokens.issuer

    async def begin(
        self, parameters: Parameters, *, session_id: str | None, client: Client, deferred: bool = False
    ) -> Reply | Go:
        """Take a new request, and answer it if nothing is left to do.

        Args:
            parameters: The request.
            session_id: The browser's session, if it has one. Never that of a token: a client that has tokens of a user
                cannot grant itself more.
            client: What the HTTP request shows of itself.
            deferred: Whether who is signed in cannot be known yet: a form from another site comes without cookies.

        Raises:
            UnsafeRequestError: If nobody can be told what is wrong but the user.
            TooManyAttemptsError: If a client's metadata was fetched too often, or too many requests wait for strangers
                from one network.
        """
        asking = await self._client_of(parameters, client)
        reference = parameters.get("request_uri")
        if reference is not None and reference.startswith(PUSHED_REQUEST):
            request = await self._pushed_request(parameters, asking, reference)
        else:
            address = return_address(parameters, asking)
            try:
                request = read_request(parameters, asking, await rules_for(self._context, asking, parameters))
            except OAuthError as error:
                if session_id is None and "none" not in (parameters.get("prompt") or "").split(" "):
                    _check_known(asking, address, error)
                return self._refusal(address, error, asking.id)
        loaded = await load(self._context, request, None, session_id=session_id)
        step = None if deferred else next_step(loaded.situation)
        if isinstance(step, Refuse):
            if loaded.session is None and "none" not in request.prompt:
                _check_known(asking, address_of(request), step.error)
            return self._refusal(address_of(request), step.error, asking.id)
        if isinstance(step, Answer):
            answered = await self._answer(loaded, None)
            if answered is not None:
                return answered
        throttles = self._context.throttles
        await admit(
            self._context,
            request_limits(throttles, address=client.address)
            if loaded.session is None
            else user_request_limits(throttles, user_id=loaded.session.user_id),
        )
        return await self._put_down(request, step)

    async def resume(self, handle: str, *, session_id: str | None) -> Outcome:
        """Go on with a request whose user comes back.

        Raises:
            InteractionOverError: If it was answered already, or waited too long.
            UnsafeRequestError: If the client is gone, or its redirect URI.
        """
        return await self._advance(await self._interaction(handle), handle, session_id)

    async def allow(
        self, handle: str, *, session_id: str | None, shown_session: str, shown_scope: str
    ) -> Outcome:
        """Take the user's consent.

        It counts for the session that saw the question, and for what stood there: with another account signed in
        meanwhile, or more to be granted, the question comes again.

        Args:
            handle: Which request.
            session_id: The browser's session.
            shown_session: The session that the page was for.
            shown_scope: The scopes on it, space-delimited.

        Raises:
            InteractionOverError: As ``resume``.
            UnsafeRequestError: As ``resume``.
        """
        interaction = await self._interaction(handle)
        if session_id is not None and shown_session == session_id:
            scope = tuple(each for each in interaction.request.scope if each in shown_scope.split(" "))
            interaction = replace(interaction, consented=session_id, scope=scope)
            await self._keep(interaction)
        return await self._advance(interaction, handle, session_id)

    async def select(self, handle: str, *, session_id: str | None, shown_session: str) -> Outcome:
        """Take the user's word that they want to go on with the account that is signed in. As ``allow`` in all else."""
        interaction = await self._interaction(handle)
        if session_id is not None and shown_session == session_id:
            interaction = replace(interaction, selected=session_id)
            await self._keep(interaction)
        return await self._advance(interaction, handle, session_id)

    async def deny(self, handle: str) -> Reply:
        """Take the user's no.

        Raises:
            InteractionOverError: As ``resume``.
            UnsafeRequestError: As ``resume``.
        """
        interaction = await self._interaction(handle)
        await client_still(self._context, interaction.request)
        return await self._refuse(interaction, AccessDeniedError("The user said no."))

    async def preview(self, handle: str) -> Preview | None:
        """Return what the pages on the way tell of where it leads; ``None`` if it leads nowhere any more."""
        try:
            request = (await self._interaction(handle)).request
            client = await client_still(self._context, request)
        except (InteractionOverError, UnsafeRequestError):
            return None
        return Preview(client=client, redirect_uri=request.redirect_uri, login_hint=request.login_hint or "")

    # --- steps -----------------------------------------------------------------------------------------

    async def _advance(self, interaction: Interaction, handle: str, session_id: str | None) -> Outcome:
        loaded = await load(self._context, interaction.request, interaction, session_id=session_id)
        step = next_step(loaded.situation)
        match step:
            case Answer():
                answered = await self._answer(loaded, interaction)
                # The session ended in this very moment: go on without.
                return answered or await self._advance(interaction, handle, None)
            case Refuse(error):
                return await self._refuse(interaction, error)
            case AskConsent():
                return self._consent_question(loaded)
            case SelectAccount():
                return self._account_question(loaded)
        return _page(step, handle)

    async def _answer(self, loaded: Loaded, interaction: Interaction | None) -> Reply | None:
        """Answer a request, exactly once; ``None`` if its session is gone.

        Raises:
            InteractionOverError: If another request has answered it at the same time.
        """
        context, request, scope = self._context, loaded.request, loaded.situation.scope
        assert loaded.session is not None  # noqa: S101 - only who is signed in is answered for
        async with context.storage.transaction(loaded.session.user_id) as records:
            session, user = await present(context, records, loaded.session.id)
            if session is None or user is None:
                return None
            if interaction is not None:
                if not await records.delete_interaction(interaction.digest):
                    raise InteractionOverError(detail="answered at the same time")
                if interaction.consented == session.id:
                    await self._remember(records, request, user_id=user.id, scope=scope)
            code, record = await issue_code(
                context,
                records,
                request=request,
                client=loaded.situation.client,
                user=user,
                session=session,
                scope=scope,
                audiences=request.audiences,
            )
            if request.response_type == "id_token":
                # Nothing will be exchanged, so the client's session begins now, and the code is never told.
                await records.consume_code(record.digest, at=record.created_at)
                await open_for_client(context, records, record, client=session.client)
        _log.info("client %s: answered %s for user %s", request.client_id, request.response_type, user.id)
        return await self._success(loaded, record, code, user=user, session=session)

    async def _success(
        self, loaded: Loaded, record: AuthorizationCode, code: str, *, user: User, session: Session
    ) -> Reply:
        request = loaded.request
        given = code if "code" in request.response_type else None
        id_token = None
        if "id_token" in request.response_type:
            id_token = await id_token_for(
                self._tokens, loaded.client, record, user=user, session=session, code=given
            )
        return success_reply(address_of(request), issuer=self._issuer, code=given, id_token=id_token)

    async def _remember(
        self, records: Records, request: AuthorizationRequest, *, user_id: str, scope: tuple[str, ...]
    ) -> None:
        before = await records.find_consent(user_id, request.client_id)
        now = self._context.clock()
        await records.put_consent(remembered(before, request, user_id=user_id, scope=scope, now=now))

    async def _refuse(self, interaction: Interaction, error: OAuthError) -> Reply:
        if not await self._context.storage.records.delete_interaction(interaction.digest):
            raise InteractionOverError(detail="answered at the same time")
        return self._refusal(address_of(interaction.request), error, interaction.request.client_id)

    def _refusal(self, address: ReturnAddress, error: OAuthError, client_id: str) -> Reply:
        _log.info(
            "client %s: refused [%s]%s", client_id, error.code, f" {error.field}" if error.field else ""
        )
        return error_reply(address, error, issuer=self._issuer)

    async def _put_down(self, request: AuthorizationRequest, step: Step | None) -> Go:
        context, handle = self._context, new_token()
        now = context.clock()
        await context.storage.records.add_interaction(
            Interaction(
                digest=digest(handle),
                request=request,
                created_at=now,
                expires_at=now + context.provider.interaction.total_seconds(),
            )
        )
        return _page(step, handle)

    async def _keep(self, interaction: Interaction) -> None:
        if not await self._context.storage.records.replace_interaction(interaction):
            raise InteractionOverError(detail="answered at the same time")

    def _consent_question(self, loaded: Loaded) -> ConsentQuestion:
        assert loaded.user is not None  # noqa: S101 - only who is signed in is asked
        assert loaded.session is not None  # noqa: S101
        return question_of(
            self._context,
            loaded.request,
            loaded.client,
            user=loaded.user,
            session_id=loaded.session.id,
            scope=loaded.situation.scope,
            apis=loaded.apis,
        )

    def _account_question(self, loaded: Loaded) -> AccountQuestion:
        assert loaded.user is not None  # noqa: S101 - only who is signed in is asked
        assert loaded.session is not None  # noqa: S101
        return AccountQuestion(
            client=loaded.client,
            redirect_uri=loaded.request.redirect_uri,
            email=loaded.user.email,
            session_id=loaded.session.id,
            may_create="create" in loaded.request.prompt,
        )

    # --- loading ---------------------------------------------------------------------------------------

    async def _client_of(self, parameters: Parameters, client: Client) -> OAuthClient:
        client_id = parameters.get("client_id")
        if client_id is None or parameters.is_repeated("client_id"):
            raise UnsafeRequestError("The app did not say which one it is.", field="client_id")
        try:
            found = await client_by_document(self._context, client_id, client=client)
        except InvalidClientError as error:
            raise UnsafeRequestError(
                "The app describes itself in a way that cannot be accepted.",
                field="client_id",
                detail=error.detail,
            ) from None
        if found is None:
            found = await cached_client(self._context, client_id)
        if found is None or found.disabled_at is not None:
            raise UnsafeRequestError("The app is not known here.", field="client_id")
        return found

    async def _pushed_request(
        self, parameters: Parameters, client: OAuthClient, reference: str
    ) -> AuthorizationRequest:
        if parameters.is_repeated("request_uri"):
            raise UnsafeRequestError("The app refers to two requests.", field="request_uri")
        # What stands beside the reference is ignored (RFC 9101 section 6.3): the client did not push it.
        return await self._pushed.consume(client, reference)

    async def _interaction(self, handle: str) -> Interaction:
        found = await self._context.storage.records.find_interaction(digest(handle))
        if found is None or self._context.clock() >= found.expires_at:
            raise InteractionOverError(detail="unknown or expired")
        return found


def _page(step: Step | None, handle: str) -> Go:
    match step:
        case SignIn(other):
            return Go(page="sign-in", handle=handle, other=other)
        case SignUp():
            return Go(page="sign-up", handle=handle)
        case ReAuthenticate():
            return Go(page="re-authenticate", handle=handle)
    return Go(page="continue", handle=handle)


def _check_known(client: OAuthClient, address: ReturnAddress, error: OAuthError) -> None:
    """Refuse to redirect a browser, whose user said nothing yet, to where a stranger wants it.

    Anybody could otherwise write a link to this site that leads to theirs (RFC 9700 section 4.11.2). Where the redirect
    leads to an app on the device, there is nothing to imitate.

    Raises:
        UnsafeRequestError: If it is such a client. The user is told what its developer should know.
    """
    if client.registered_by != "administrator" and address.redirect_uri.startswith("https:"):
        raise UnsafeRequestError(
            error.message, field=error.field or "", detail=f"[{error.code}] {error.detail or ''}"
        )
