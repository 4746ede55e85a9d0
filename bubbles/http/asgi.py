"""The application: the URL table, the refusals on the wire, and what is shared while it lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.exc import DBAPIError, TimeoutError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from bubbles.app import House
from bubbles.errors import Missing, Refused
from bubbles.http import assets, errors, front, lane, routes, sitemap, turns, visitors
from bubbles.http.export import Exporting
from bubbles.http.follow import Hub
from bubbles.http.front import FrontCounts
from bubbles.http.log import RequestLog
from bubbles.http.nosniff import Nosniff
from bubbles.http.parts import Parts


def create_app(house: House) -> Starlette:
    """The web side of a house. The house stays open as long as the application is used."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.probes = asyncio.Semaphore(house.settings.probes_at_once)
        app.state.reading = asyncio.Lock()
        async with front.kept(app.state.front):
            yield

    app = Starlette(
        routes=[*routes.routes(), assets.mount(house.settings.pages_dir)],
        exception_handlers={
            Refused: errors.on_refused,
            Missing: errors.on_missing,
            DBAPIError: errors.on_database,
            TimeoutError: errors.on_database,
            OSError: errors.on_system,
            HTTPException: errors.on_http,
            Exception: errors.on_bug,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # the Host header would choose where to
    app.state.front = FrontCounts(house)
    trusts = partial(visitors.is_trusted, house.settings)
    # Outermost, so that what nobody foresaw is answered and written down under its request's id too.
    logged = RequestLog(app.build_middleware_stack(), trusts=trusts, counts=app.state.front.count)
    app.middleware_stack = Nosniff(logged)
    app.state.house = house
    app.state.parts = Parts(house)
    app.state.hub = Hub()
    app.state.exporting = Exporting()
    app.state.store_reads = lane.limiter()
    app.state.upload_places = lane.uploads_limiter()
    app.state.hashing = lane.Hashing()
    app.state.turns = turns.Turns(house.settings.queries_at_once, house.settings.query_timeout_s)
    app.state.sitemaps = sitemap.stock(house.settings.query_timeout_s)
    app.state.operations = routes.OPERATIONS
    app.state.actions = {row.handler: row.action for row in routes.OPERATIONS}
    app.state.paths = {row.handler: row.path for row in routes.OPERATIONS}
    return app
