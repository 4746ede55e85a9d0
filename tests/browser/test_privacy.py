"""A public page keeps nothing on the visitor's machine until the person acts, and asks nothing of anyone else."""

import pytest

from tests.browser.stage import AUTHOR

pytestmark = pytest.mark.once

KEPT = """async () => ({
  cookies: document.cookie,
  local: Object.keys(localStorage),
  session: Object.keys(sessionStorage),
  databases: (await indexedDB.databases()).map(({ name }) => name),
  caches: await caches.keys(),
  workers: (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
  folder: (await Array.fromAsync((await navigator.storage.getDirectory()).keys())),
})"""
NOTHING = {"cookies": "", "local": [], "session": [], "databases": [], "caches": [], "workers": [], "folder": []}
PUBLIC = ["/", "/search?q=quay", f"/@{AUTHOR}", "/b/{code}"]


@pytest.mark.parametrize("address", PUBLIC)
def test_reading_and_listening_keep_nothing(visit, stage, address):
    visitor = visit(at=(45.764, 4.8357))
    page = visitor.page
    page.goto(address.format(code=stage.code))
    page.wait_for_load_state("networkidle")
    page.locator("bubble-player button").first.click()
    visitor.until("[...document.querySelectorAll('audio')].some((audio) => audio.currentTime > 1)")
    with page.expect_request("**/api/listens"):  # told when the sound stops
        page.locator("bubble-player button").first.click()
    assert page.evaluate(KEPT) == NOTHING
    assert visitor.context.cookies() == []
    assert visitor.strays(stage.origin) == []


def test_no_answer_to_a_stranger_sets_a_cookie(visit, stage):
    visitor = visit()
    answers = []
    visitor.context.on("response", lambda answer: answers.append((answer.url, answer.headers)))
    for address in PUBLIC:
        visitor.page.goto(address.format(code=stage.code))
        visitor.page.wait_for_load_state("networkidle")
    assert len(answers) > len(PUBLIC)
    assert [url for url, headers in answers if "set-cookie" in headers] == []


def test_what_is_chosen_identifies_nobody(visit):
    visitor = visit()
    visitor.page.goto("/")
    visitor.page.get_by_role("button", name="Français").click()
    visitor.until("document.documentElement.lang === 'fr'")
    visitor.page.locator("button[name=theme][value=dark]").click()
    visitor.until("document.documentElement.dataset.theme === 'dark'")
    kept = {cookie["name"]: cookie["value"] for cookie in visitor.context.cookies()}
    assert sorted(kept.values()) == ["dark", "fr"]


def test_the_address_of_a_bubble_is_told_to_no_other_site(visit, stage):
    visitor = visit(allowed=["Content Security Policy"])
    visitor.page.goto(f"/b/{stage.code}")
    leave = "location.href = 'http://127.0.0.1:9/elsewhere'"
    with visitor.page.expect_request("http://127.0.0.1:9/elsewhere") as asked:
        visitor.page.evaluate(leave)
    assert "referer" not in asked.value.headers
