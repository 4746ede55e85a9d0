"""Heavy code comes where it is used, and nowhere else."""

import pytest

from tests.browser.recording import Recorder
from tests.browser.spoken import recorded
from tests.browser.visitor import DESKTOP

RECORDER = r"/assets/(record|outbox|sketch|picker)-"
MAP = r"/assets/(map|ground|picked|overlay|atlas|maplibre)[^/]*-"


@pytest.mark.parametrize("address", ["/", "/search?q=quay", "/b/{code}", "/b/{code}/embed", "/@{author}"])
def test_who_listens_loads_neither_the_recorder_nor_the_map(visit, stage, address):
    visitor = visit()
    visitor.page.goto(address.format(code=stage.code, author=stage.author))
    visitor.page.locator("bubble-player[enhanced]").first.wait_for()
    visitor.page.wait_for_load_state("networkidle")
    assert len(visitor.requested("/assets/")) > 0
    assert visitor.requested(f"{RECORDER}|{MAP}") == []


def test_the_recorder_loads_no_map_until_a_place_is_asked_for(visit, quiet, tmp_path):
    recorder = Recorder(visit(kind=DESKTOP, origin=quiet.origin)).open()
    recorder.page.wait_for_load_state("networkidle")
    assert len(recorder.visitor.requested(RECORDER)) > 0
    assert recorder.visitor.requested(f"{MAP}|/map/") == []
    recorder.bring(recorded(tmp_path).path)
    recorder.page.locator("place-picker").scroll_into_view_if_needed()
    recorder.page.locator("place-picker canvas").wait_for()
    assert len(recorder.visitor.requested(MAP)) > 0
