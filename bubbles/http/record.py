"""GET /record, and who is here to record: the account, and the channels that it may publish in."""

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import legal, policy
from bubbles.db import channels
from bubbles.http import auth, basemap, languages, present, render
from bubbles.http.caching import NO_STORE
from bubbles.model.channel import Role
from bubbles.model.licence import Licence
from bubbles.policy import Action, Person

PERMISSIONS = {"Permissions-Policy": "camera=(), geolocation=(self), microphone=(self), payment=(), usb=()"}


def page(request: Request) -> Response:
    """The recorder: the same for everyone, and the only page that may ask for microphone and position."""
    settings = auth.house(request).settings
    return render.page(
        request,
        "record.html",
        headers=PERMISSIONS | basemap.headers(settings),
        map_styles=basemap.styles(settings, language=languages.of(request)),
        limit_s=settings.duration_max_s,
        silence_dbfs=settings.silence_dbfs,
        max_bytes=settings.request_max_bytes,
        title_max=settings.title_max,
        tags_max=settings.tags_max,
        tag_max=settings.tag_max,
        licences=list(Licence),
        usual_licence=Licence(settings.licence),
        terms_version=legal.terms_version(settings.legal),
    )


def me(request: Request) -> Response:
    """`{handle, channels}`; for a stranger null and none, since a page that asks has done nothing wrong."""
    house = auth.house(request)
    with house.database.transaction() as session:
        who = auth.person(request, session)
        may_publish = who is not None and policy.opens(Action.PUBLISH, who)
        teams = _teams(session, who, house.settings.public_url) if who and may_publish else []
    return JSONResponse({"handle": who.handle if who else None, "channels": teams}, headers=NO_STORE)


def _teams(session: Session, who: Person, base_url: str) -> list[present.Json]:
    """The channels that the person may publish in, their own first."""
    return [
        present.channel(channel, base_url) | {"role": role}
        for channel, role in channels.of_account(session, who.account_id, first=who.handle)
        if policy.may(Action.PUBLISH, policy.standing(who, Role(role)))
    ]
