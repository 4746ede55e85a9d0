"""What a bubble is passed on with: links of the networks that people use, the snippet for other pages, a QR code."""

import io
from urllib.parse import quote

import segno
from markupsafe import Markup

from bubbles.http import present, shown
from bubbles.http.languages import Texts

FRAME_HEIGHT = 168
"""Pixels that the player takes in other pages. It is as wide as it may be."""

FRAME = Markup(
    '<iframe src="{src}" title="{title}" width="{width}" height="{height}" style="border:0;max-width:100%"'
    ' loading="lazy"></iframe>'
)
NETWORKS = {
    "WhatsApp": "https://wa.me/?text={both}",
    "Telegram": "https://t.me/share/url?url={url}&text={name}",
    "Facebook": "https://www.facebook.com/sharer/sharer.php?u={url}",
    "Mastodon": "https://share.joinmastodon.org/#text={both}",
    "Bluesky": "https://bsky.app/intent/compose?text={both}",
    "X": "https://x.com/intent/post?url={url}&text={name}",
    "LinkedIn": "https://www.linkedin.com/sharing/share-offsite/?url={url}",
}
"""Plain addresses that open a post to be written; nothing of theirs is loaded, and they learn nothing before."""

QR_SCALE, QR_BORDER = 8, 4
"""Pixels a module, and modules of quiet around (ISO/IEC 18004)."""


def ways(told: present.Json, t: Texts) -> list[tuple[str, str]]:
    """Names and addresses to pass a bubble on by: a message first, then the networks."""
    name = shown.name(told, t)
    filled = {key: quote(text, safe="") for key, text in _said(name, told["url"]).items()}
    messages = {
        t("share.by_mail"): "mailto:?subject={name}&body={both}",
        t("share.by_sms"): "sms:?&body={both}",
    }
    return [(way, address.format(**filled)) for way, address in (NETWORKS | messages).items()]


def _said(name: str, url: str) -> dict[str, str]:
    return {"name": name, "url": url, "both": f"{name}\n{url}"}


def frame(told: present.Json, t: Texts, *, width: int | str = "100%", height: int = FRAME_HEIGHT) -> Markup:
    """The snippet that puts the player into a page."""
    return FRAME.format(src=f"{told['url']}/embed", title=shown.name(told, t), width=width, height=height)


def qr_code(url: str) -> bytes:
    """The address as a QR code, an SVG in black on white: cameras read no other colours as well."""
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", scale=QR_SCALE, border=QR_BORDER, light="#fff")
    return drawn.getvalue()
