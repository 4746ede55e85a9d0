"""An authenticator in software: makes passkeys and signs with them, as a browser hands its answers over (WebAuthn)."""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

from bubbles.db import passkeys

JSON = {"Accept": "application/json"}
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Passkey:
    """A key pair on a device. `sign_count` grows with each use unless the device keeps none."""

    host: str = "localhost"
    origin: str = "http://localhost:8000"
    flags: int = PRESENT | VERIFIED
    sign_count: int = 0
    counts: bool = True
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def made(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives."""
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._public_key()
        data = self._data(ATTESTED) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._credential(clientDataJSON=client, attestationObject=attestation)

    def signed(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get` gives."""
        self.sign_count += self.counts
        data, client = self._data(), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", self.flags | more, self.sign_count)

    def _public_key(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32) for number in (point.x, point.y))
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, **response: bytes) -> dict[str, Any]:
        told = {name: bytes_to_base64url(value) for name, value in response.items()}
        name = bytes_to_base64url(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": told, "clientExtensionResults": {}}


def challenge(browser, path="/sign-in/passkey/challenge"):
    """What the browser is to sign."""
    answer = browser.post(path, json={}, headers=JSON)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return answer.json()


def add(browser, passkey=None, name="Blue key"):
    """A passkey of the account that is signed in."""
    passkey = passkey or Passkey()
    options = challenge(browser, "/account/passkeys/challenge")
    answer = browser.post("/account/passkeys", json={"credential": passkey.made(options), "name": name}, headers=JSON)
    assert answer.status_code == 204, answer.text
    return passkey


def use(browser, credential, **more):
    """What signing in with an answer gives."""
    return browser.post("/sign-in/passkey", json={"credential": credential} | more, headers=JSON)


def kept(house, account):
    """The passkeys of an account, as rows."""
    with house.database.transaction() as session:
        return list(passkeys.of_account(session, account.id))
