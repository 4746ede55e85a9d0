"""The whole URL table: method, path, handler, who may (an action of the policy table), and what it is for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from bubbles.http import (
    account,
    account_forms,
    assets,
    basemap,
    bubbles,
    clusters,
    embed,
    events,
    export,
    health,
    known,
    leaving,
    legal,
    listens,
    map_pages,
    media,
    members,
    metrics,
    oembed,
    openapi,
    pages,
    passkeys,
    places,
    preferences,
    pwa,
    record,
    sessions,
    share,
    sign_in,
    sign_up,
    sitemap,
    stats,
    studio,
    studio_bubble,
    uploads,
)
from bubbles.http.turns import InTurn
from bubbles.policy import Action


@dataclass(frozen=True)
class Operation:
    """One row of the table. `takes` and `gives` name schemas of `schemas.py`, or media types."""

    method: str
    path: str
    handler: Callable[..., Any]
    action: Action
    summary: str
    takes: str = ""
    gives: str = "text/html"


A = Action
OPERATIONS = (
    Operation("POST", "/api/bubbles", uploads.publish, A.PUBLISH, "Publish a recording", "Upload", "Bubble"),
    Operation("GET", "/api/bubbles", bubbles.index, A.LOOK, "Find bubbles", "Query", "Page"),
    Operation("GET", "/api/bubbles.geojson", bubbles.geojson, A.LOOK, "Find bubbles, as GeoJSON", "Query", "Features"),
    Operation("GET", "/api/map", clusters.view, A.LOOK, "Bubbles and clusters in a view of the map", "View", "Map"),
    Operation("GET", "/api/places", places.index, A.LOOK, "Towns by their name", "Name", "Places"),
    Operation("GET", "/map/style.json", basemap.style, A.LOOK, "The style of the map", gives="application/json"),
    Operation("GET", "/map/tiles.pmtiles", basemap.tiles, A.LOOK, "The tiles of the map", gives=basemap.MEDIA_TYPE),
    Operation("GET", "/api/bubbles/{code}", bubbles.show, A.LOOK, "One bubble", gives="Bubble"),
    Operation("PATCH", "/api/bubbles/{code}", bubbles.change, A.EDIT, "Change a bubble", "Patch", "Bubble"),
    Operation("DELETE", "/api/bubbles/{code}", bubbles.withdraw, A.WITHDRAW, "Withdraw a bubble", gives=""),
    Operation(
        "PUT", "/api/bubbles/{code}/transcript", bubbles.correct, A.CORRECT, "Correct words", "Correction", "Transcript"
    ),
    Operation(
        "GET", "/api/bubbles/{code}/events", events.events, A.LOOK, "States as they come", gives="text/event-stream"
    ),
    Operation("GET", "/api/bubbles/{code}/stats", stats.of_bubble, A.SEE_STATS, "How a bubble was heard", "", "Stats"),
    Operation(
        "GET", "/api/channels/{handle}/stats", stats.of_channel, A.SEE_STATS, "How a channel was heard", "", "Stats"
    ),
    Operation(
        "GET", "/api/channels/{handle}/members", members.index, A.SEE_MEMBERS, "Who is in a team", gives="Members"
    ),
    Operation(
        "PUT",
        "/api/channels/{handle}/members/{account}",
        members.put,
        A.KEEP_MEMBERS,
        "Give a role in a team",
        "Role",
        "Member",
    ),
    Operation(
        "DELETE",
        "/api/channels/{handle}/members/{account}",
        members.remove,
        A.LEAVE_TEAM,
        "Take out of a team, or leave it",
        gives="",
    ),
    Operation("POST", "/api/listens", listens.tell, A.TELL_HEARD, "Tell what was heard", "Heard", ""),
    Operation("GET", "/api/me", record.me, A.LOOK, "Who asks, and where they may publish", gives="Me"),
    Operation("GET", "/api/openapi.json", openapi.document, A.LOOK, "This description", gives="application/json"),
    Operation("GET", "/media/{code}.{kind}", media.rendition, A.HEAR, "The sound", gives="audio/*"),
    Operation(
        "GET", "/b/{code}.{format}", share.transcript, A.LOOK, "The words as vtt, srt, txt, json", gives="text/*"
    ),
    Operation("GET", "/b/{code}", share.page, A.LOOK, "The share page"),
    Operation("GET", "/b/{code}/embed", embed.page, A.LOOK, "The player for other people's pages"),
    Operation("GET", "/b/{code}/share", share.panel, A.LOOK, "The ways to pass a bubble on, as a piece of a page"),
    Operation("GET", "/b/{code}/qr.svg", share.qr, A.LOOK, "The share link as a QR code", gives="image/svg+xml"),
    Operation("GET", "/oembed", oembed.describe, A.LOOK, "oEmbed 1.0", gives="application/json"),
    Operation("GET", "/@{handle}", pages.profile, A.LOOK, "Who publishes, and what"),
    Operation("GET", "/search", pages.search, A.LOOK, "Search by words and place"),
    Operation("GET", "/map", map_pages.page, A.LOOK, "The map, and what lies in its view"),
    Operation("GET", "/map/list", map_pages.listed, A.LOOK, "The list beside the map"),
    Operation("GET", "/walk", map_pages.walk, A.LOOK, "Bubbles around me, one after another"),
    Operation("GET", "/", pages.home, A.LOOK, "On air: the newest"),
    Operation("GET", "/record", record.page, A.LOOK, "Record a voice"),
    Operation("GET", "/on-air", pages.on_air, A.LOOK, "What came on air since, as a piece of a page"),
    Operation("GET", "/me", sessions.me, A.LOOK, "Who is signed in"),
    Operation("GET", "/sign-up", sign_up.page, A.SIGN_UP, "Make an account"),
    Operation("POST", "/sign-up", sign_up.make, A.SIGN_UP, "Make an account: its recovery codes", "Form"),
    Operation("GET", "/sign-in", sign_in.page, A.SIGN_IN, "The ways in"),
    Operation("POST", "/sign-in", sign_in.enter, A.SIGN_IN, "Sign in by password or recovery code", "Form", ""),
    Operation(
        "POST", "/sign-in/passkey/challenge", passkeys.to_sign_in, A.SIGN_IN, "What a passkey signs", "", "Challenge"
    ),
    Operation("POST", "/sign-in/passkey", passkeys.sign_in, A.SIGN_IN, "Sign in by passkey", "Credential", "Next"),
    Operation("GET", "/sign-in/{secret}", sessions.link, A.SIGN_IN, "The button of a one-time link"),
    Operation("POST", "/sign-in/{secret}", sessions.use_link, A.SIGN_IN, "Use a one-time link", "Form", ""),
    Operation("GET", "/account", account.page, A.KEEP_ACCOUNT, "One's own account"),
    Operation("POST", "/account/password", account_forms.set_password, A.KEEP_ACCOUNT, "Set a password", "Form", ""),
    Operation(
        "POST", "/account/passkeys/challenge", passkeys.to_add, A.KEEP_ACCOUNT, "What a new one signs", "", "Challenge"
    ),
    Operation("POST", "/account/passkeys", passkeys.add, A.KEEP_ACCOUNT, "Add a passkey", "Credential", ""),
    Operation(
        "POST", "/account/passkeys/rename", account_forms.rename_passkey, A.KEEP_ACCOUNT, "Name a passkey", "Form", ""
    ),
    Operation(
        "POST", "/account/passkeys/remove", account_forms.remove_passkey, A.KEEP_ACCOUNT, "Remove a passkey", "Form", ""
    ),
    Operation(
        "POST", "/account/recovery-codes", account_forms.renew_codes, A.KEEP_ACCOUNT, "Renew the recovery codes", "Form"
    ),
    Operation("POST", "/account/sessions/end", account_forms.end_session, A.KEEP_ACCOUNT, "End sessions", "Form", ""),
    Operation(
        "POST", "/account/browsers/forget", account_forms.forget_browser, A.KEEP_ACCOUNT, "Forget a browser", "Form", ""
    ),
    Operation("POST", "/account/tokens", account_forms.make_token, A.KEEP_ACCOUNT, "Make a token", "Form"),
    Operation(
        "POST", "/account/tokens/revoke", account_forms.revoke_token, A.KEEP_ACCOUNT, "Revoke a token", "Form", ""
    ),
    Operation("POST", "/account/invitations", account_forms.invite, A.KEEP_ACCOUNT, "Invite someone", "Form"),
    Operation("POST", "/sign-out", sessions.sign_out, A.SIGN_OUT, "End the session", "Form", ""),
    Operation("POST", "/forget-device", known.forget, A.SIGN_OUT, "Forget this browser", "Form", ""),
    Operation("POST", "/preferences", preferences.choose, A.CHOOSE, "Choose language and theme", "Form", ""),
    Operation("GET", "/app.webmanifest", pwa.manifest, A.LOOK, "How to install the pages", gives="application/json"),
    Operation("GET", "/sw.js", pwa.service_worker, A.LOOK, "The service worker", gives="text/javascript"),
    Operation("GET", "/offline", pwa.offline, A.LOOK, "What is shown without a connection"),
    Operation(
        "POST", "/account/export", export.download, A.KEEP_ACCOUNT, "All that is one's own", "Form", "application/zip"
    ),
    Operation("POST", "/account/delete", leaving.delete, A.KEEP_ACCOUNT, "Close the account", "Form"),
    Operation("GET", "/studio", studio.page, A.SEE_TEAM, "One's own bubbles, by state"),
    Operation("GET", "/studio/bubbles/{code}", studio_bubble.page, A.EDIT, "A bubble with its forms"),
    Operation("POST", "/studio/bubbles/{code}", studio_bubble.change, A.EDIT, "Change a bubble", "Form", ""),
    Operation(
        "POST", "/studio/bubbles/{code}/transcript", studio_bubble.correct, A.CORRECT, "Correct its words", "Form", ""
    ),
    Operation(
        "POST", "/studio/bubbles/{code}/withdraw", studio_bubble.withdraw, A.WITHDRAW, "Withdraw a bubble", "Form", ""
    ),
    Operation(
        "POST",
        "/studio/bubbles/{code}/retry",
        studio_bubble.again,
        A.RETRY,
        "Try a step again",
        "Form",
        "",
    ),
    Operation("GET", "/privacy", legal.privacy, A.LOOK, "What is kept, and for how long"),
    Operation("GET", "/terms", legal.terms, A.LOOK, "The operator's terms"),
    Operation("GET", "/contact", legal.contact, A.LOOK, "How to reach the operator"),
    Operation("GET", "/method", legal.method, A.LOOK, "How listening is counted"),
    Operation("GET", "/sitemap.xml", sitemap.sitemap, A.LOOK, "The pages of what is listed", gives="application/xml"),
    Operation("GET", "/sitemaps/{number}.xml", sitemap.page, A.LOOK, "A page of it", gives="application/xml"),
    Operation("GET", "/robots.txt", sitemap.robots, A.LOOK, "What crawlers may read", gives="text/plain"),
    Operation("GET", "/healthz", health.alive, A.OPERATE, "Whether it runs", gives="text/plain"),
    Operation("GET", "/readyz", health.ready, A.OPERATE, "What is degraded", gives="application/json"),
    Operation("GET", "/metrics", metrics.metrics, A.OPERATE, "Numbers for Prometheus", gives="text/plain"),
)


IN_TURN = {
    *(bubbles.index, bubbles.geojson, clusters.view, places.index),
    *(pages.home, pages.on_air, pages.search, pages.profile, map_pages.page, map_pages.listed, map_pages.walk),
    *(sitemap.sitemap, sitemap.page),
}
"""What asks the database for whatever anybody thinks of: these wait for each other, and nobody else for them."""


def routes() -> list[Route]:
    """The table as Starlette takes it."""
    return [Route(row.path, row.handler, methods=[row.method], middleware=_middleware(row)) for row in OPERATIONS]


def _middleware(row: Operation) -> list[Middleware]:
    """Pages and lists are compressed; sound is already, and one bubble keeps its strong ETag."""
    turn = [Middleware(InTurn)] if row.handler in IN_TURN else []
    compressed = {"text/html", "Page", "Features", "Map"}
    gzip = Middleware(GZipMiddleware, minimum_size=1024, compresslevel=assets.COMPRESSION)
    return [*turn, gzip] if row.gives in compressed else turn
