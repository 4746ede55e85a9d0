"""Passkeys: added, used, named and removed. The only module that knows WebAuthn.

Every passkey is discoverable, so that the browser offers it without a handle and nothing tells who has one; each use
takes the person's consent on their device (user verification), since it is the only factor.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
import webauthn
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from webauthn.helpers import base64url_to_bytes, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bubbles import ids
from bubbles.db import accounts, passkeys
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.passkey import Challenge, Passkey

VALID_FOR = timedelta(minutes=5)
OPEN_PER_NETWORK_MAX = 50
"""Challenges that one network may hold unanswered."""

PER_ACCOUNT_MAX = 20
VERIFIED = UserVerificationRequirement.REQUIRED

UNKNOWN = "This passkey is not known here."

Json = dict[str, Any]
log = structlog.get_logger()


@dataclass(frozen=True)
class Site:
    """What passkeys are bound to: a host name, and the origins of our pages."""

    host: str
    origins: frozenset[str]


def challenge_to_sign_in(session: Session, site: Site, *, network: bytes, now: datetime) -> Json:
    """What `navigator.credentials.get` takes; raises `rate_limited`."""
    challenge = _challenge(session, None, network=network, now=now)
    options = webauthn.generate_authentication_options(
        rp_id=site.host, challenge=challenge, user_verification=VERIFIED, timeout=_timeout_ms()
    )
    return _json(options)


def challenge_to_add(session: Session, site: Site, account: Account, *, network: bytes, now: datetime) -> Json:
    """What `navigator.credentials.create` takes; raises `rate_limited`, or `conflict` when there are enough."""
    known = passkeys.of_account(session, account.id)
    _require_room(known)
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Bubbles",
        user_id=str(account.id).encode(),
        user_name=account.handle,
        user_display_name=f"@{account.handle}",
        challenge=_challenge(session, account, network=network, now=now),
        timeout=_timeout_ms(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, require_resident_key=True, user_verification=VERIFIED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in known],
    )
    return _json(options)


def _challenge(session: Session, account: Account | None, *, network: bytes, now: datetime) -> bytes:
    passkeys.forget_challenges(session, now)
    if passkeys.open_challenges(session, network, now) >= OPEN_PER_NETWORK_MAX:
        wait_s = int(VALID_FOR.total_seconds())
        raise Refused(Code.RATE_LIMITED, "There were too many attempts; try again later.", retry_after_s=wait_s)
    secret = ids.new_secret()
    account_id = account.id if account else None
    expires_at = now + VALID_FOR
    session.add(
        Challenge(secret_hash=ids.hashed(secret), account_id=account_id, network=network, expires_at=expires_at)
    )
    return secret.encode()


def _timeout_ms() -> int:
    return int(VALID_FOR.total_seconds() * 1000)


def _json(options: Any) -> Json:
    told: Json = json.loads(webauthn.options_to_json(options))
    return told


def use_challenge(session: Session, credential: Json, *, account: Account | None, now: datetime) -> bytes:
    """Uses up the challenge that a browser answered, and returns it; raises `bad_request`.

    In a transaction of its own, so that what is wrong with the answer does not give the challenge back.
    """
    with _refusing("This is no answer of a passkey.", Code.BAD_REQUEST):
        answered = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])).challenge
        secret_hash = ids.hashed(answered.decode("ascii"))
    if not passkeys.use_challenge(session, secret_hash, account_id=account.id if account else None, now=now):
        raise Refused(Code.BAD_REQUEST, "That took too long, or was answered before; try again.")
    return answered


def add(
    session: Session, site: Site, account: Account, credential: Json, *, challenge: bytes, name: str, now: datetime
) -> Passkey:
    """Adds the passkey that a browser made; raises `bad_request`, or `conflict` for one that is known."""
    with _refusing("This passkey could not be added.", Code.BAD_REQUEST):
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=sorted(site.origins),
            require_user_verification=True,
        )
    accounts.lock(session, account.id)
    _require_room(passkeys.of_account(session, account.id))
    passkey = Passkey(
        account_id=account.id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        name=name,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(passkey)
    except IntegrityError:
        raise Refused(Code.CONFLICT, "This passkey is known already.") from None
    return passkey


def _require_room(known: Sequence[Passkey]) -> None:
    if len(known) >= PER_ACCOUNT_MAX:
        raise Refused(Code.CONFLICT, f"An account has at most {PER_ACCOUNT_MAX} passkeys.")


def use(session: Session, site: Site, credential: Json, *, challenge: bytes, now: datetime) -> Account:
    """Whose passkey answered; raises `unauthorised` for one that is unknown, wrong or a copy."""
    with _refusing(UNKNOWN, Code.UNAUTHORISED):
        credential_id = base64url_to_bytes(credential["id"])
    known = passkeys.by_credential(session, credential_id)
    with _refusing(UNKNOWN, Code.UNAUTHORISED):
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=sorted(site.origins),
            credential_public_key=known.public_key if known else b"",
            credential_current_sign_count=0,  # compared below, once the signature is known to be good
            require_user_verification=True,
        )
    account = accounts.by_id(session, known.account_id) if known else None
    if known is None or account is None or _is_copy(known, verified.new_sign_count):
        raise Refused(Code.UNAUTHORISED, UNKNOWN)
    known.sign_count, known.last_used_at = verified.new_sign_count, now
    return account


def _is_copy(known: Passkey, sign_count: int) -> bool:
    """Whether a count did not move on, as of two devices with one key (WebAuthn level 2, section 6.1.1)."""
    is_copy = (known.sign_count > 0 or sign_count > 0) and sign_count <= known.sign_count
    if is_copy:
        log.warning("passkey_copied", passkey=known.id)
    return is_copy


@contextmanager
def _refusing(sentence: str, code: Code) -> Iterator[None]:
    """What a stranger sends is parsed by several libraries deep: whatever they raise is the sender's fault."""
    try:
        yield
    except Exception as error:
        log.info("passkey_refused", why=type(error).__name__)
        raise Refused(code, sentence) from None


def rename(session: Session, account: Account, passkey_id: int, name: str) -> None:
    """Names a passkey; raises `not_found`."""
    _own(session, account, passkey_id).name = name


def remove(session: Session, account: Account, passkey_id: int) -> None:
    """Lets a passkey in no more; raises `not_found`, and `conflict` for the last one of an account without password."""
    accounts.lock(session, account.id)
    passkey = _own(session, account, passkey_id)
    if len(passkeys.of_account(session, account.id)) == 1 and accounts.password(session, account.id) is None:
        raise Refused(Code.CONFLICT, "Set a password first: this passkey is the only way in.")
    session.delete(passkey)


def _own(session: Session, account: Account, passkey_id: int) -> Passkey:
    found = next((each for each in passkeys.of_account(session, account.id) if each.id == passkey_id), None)
    if found is None:
        raise Refused(Code.NOT_FOUND, "There is no such passkey.")
    return found
