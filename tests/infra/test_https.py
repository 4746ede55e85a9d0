"""The example for HTTPS, as it is shipped."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx

from tests.infra.conftest import Site
from tests.infra.proxy import nginx
from tests.ports import free_port


def test_the_example_for_https_speaks_it(there: Site, tmp_path: Path) -> None:
    plain, secure = free_port(), free_port()
    certificate, key = signed_by_itself(tmp_path)
    changes = {
        "# include nginx/tls.conf": "include nginx/tls.conf",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443": f"listen 127.0.0.1:{secure}",
        "/etc/letsencrypt/live/bubbles.example/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/bubbles.example/privkey.pem": str(key),
    }
    trust = ssl.create_default_context(cafile=str(certificate))
    with nginx(tmp_path / "proxy", application=there.port, changes=changes):
        answer = httpx.get(f"https://127.0.0.1:{secure}/", verify=trust, timeout=60)
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        led = httpx.get(f"http://127.0.0.1:{plain}/map?q=x", headers={"Host": "bubbles.example"}, timeout=60)
        assert (led.status_code, led.headers["location"]) == (301, "https://bubbles.example/map?q=x")


def signed_by_itself(folder: Path) -> tuple[Path, Path]:
    """A certificate for `bubbles.example` and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bubbles.example")])
    names = [x509.DNSName("bubbles.example"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "certificate", folder / "key"
