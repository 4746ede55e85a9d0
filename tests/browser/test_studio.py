"""The studio in a real browser: what is kept is changed, words are corrected, and nothing typed is ever lost."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.spoken import recorded
from tests.browser.stage import Stage
from tests.browser.visitor import DESKTOP, Visitor

CUES = [
    {"start_s": 0.0, "end_s": 0.8, "text": "Fresh lemons at the harbour.", "unsure": False},
    {"start_s": 0.8, "end_s": 1.6, "text": "Perhaps some zebras.", "unsure": True},
    {"start_s": 1.6, "end_s": 2.4, "text": "The market opens at nine.", "unsure": False},
]
STALE = "status of 409"
WATCH_LINES = """() => {
  window.lit = [];
  const look = () => void lit.push(document.querySelectorAll(".cue[data-heard]").length);
  new MutationObserver(look).observe(document.body, { subtree: true, attributeFilter: ["data-heard"] });
}"""
"""How many lines are being heard, whenever that changes: a line may be over before anybody looks."""


class Made:
    """An author's bubble with known words, and what the house says of it."""

    def __init__(self, stage: Stage, code: str, handle: str) -> None:
        self.stage, self.code, self.handle = stage, code, handle
        self.token = stage.token(handle)
        self.write(CUES)

    @property
    def path(self) -> str:
        return f"/studio/bubbles/{self.code}"

    def write(self, cues: list[dict[str, Any]]) -> None:
        with self.stage.service.client(self.token) as client:
            told = client.put(f"/api/bubbles/{self.code}/transcript", json={"cues": cues, "language": "en"})
            assert told.status_code == 200

    def now(self) -> dict[str, Any]:
        with self.stage.service.client(self.token) as client:
            return dict(client.get(f"/api/bubbles/{self.code}").json())

    def texts(self) -> list[str]:
        return [cue["text"] for cue in self.now()["transcript"]["cues"]]

    def found(self, words: str) -> bool:
        with self.stage.service.client() as client:
            items = client.get("/api/bubbles", params={"q": words, "channel": self.handle}).json()["items"]
            return self.code in [item["code"] for item in items]


@pytest.fixture(scope="module")
def posted(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A bubble of an author who has nothing else."""
    handle = stage.account()
    speech = recorded(tmp_path_factory.mktemp("said"), 0)
    code = stage.publish(speech, stage.token(handle), title="Market day", language="en")["code"]
    stage.ready(code)
    return Made(stage, code, handle)


@pytest.fixture
def made(posted: Made) -> Made:
    """The same, with its words as they were."""
    posted.write(CUES)
    return posted


@pytest.fixture
def author(signed_in: Callable[..., Visitor], made: Made) -> Visitor:
    """Its author, at the bubble's page of the studio, on a desktop."""
    visitor = signed_in(made.handle, kind=DESKTOP, allowed=[STALE])
    visitor.page.goto(made.path)
    expect(words(visitor.page)).to_have_count(len(CUES))
    return visitor


def words(page: Page) -> Locator:
    return page.locator(".cue textarea")


def news(page: Page, text: str) -> None:
    expect(page.locator(".desk-news")).to_contain_text(text)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save the words").click()


def test_title_and_visibility_are_changed_from_the_list_on(author: Visitor, made: Made) -> None:
    page = author.page
    page.goto("/studio")
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Title").fill("Evening at the quay")
    page.get_by_label("Who has the link").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Evening at the quay")
    assert (made.now()["title"], made.now()["visibility"]) == ("Evening at the quay", "unlisted")
    page.get_by_label("Everyone").check()
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith(made.path)):
        page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**done=saved")
    assert made.now()["visibility"] == "public"


def test_a_corrected_word_is_found_and_the_old_one_is_not(author: Visitor, made: Made) -> None:
    assert made.found("lemons")
    words(author.page).nth(0).fill("Fresh oranges at the harbour.")
    news(author.page, "Not saved yet")
    save(author.page)
    news(author.page, "Saved")
    assert made.found("oranges")
    assert not made.found("lemons")


def test_one_click_makes_an_unsure_line_sure(author: Visitor, made: Made) -> None:
    assert not made.found("zebras")
    confirm = author.page.get_by_role("button", name="Line 2 is right")
    confirm.click()
    expect(confirm).to_be_hidden()
    save(author.page)
    news(author.page, "Saved")
    assert made.found("zebras")


def test_a_line_is_heard_for_exactly_its_stretch(author: Visitor) -> None:
    page = author.page
    page.evaluate("""() => {
      const sound = document.querySelector('bubble-player audio');
      window.heard = [];
      sound.addEventListener('playing', () => window.heard.push(sound.currentTime));
      sound.addEventListener('pause', () => window.heard.push(sound.currentTime));
    }""")
    page.evaluate(WATCH_LINES)
    page.get_by_role("button", name="Hear line 2").click()
    author.until("lit.at(-1) === 0 && heard.length > 1")
    assert page.evaluate("Math.max(...lit)") == 1
    start_s, end_s = page.evaluate("window.heard.slice(0, 2)")
    assert 0.75 <= start_s <= 1.2
    assert 1.55 <= end_s <= 2.2


def test_a_line_is_cut_joined_added_and_deleted(author: Visitor, made: Made) -> None:
    page = author.page
    words(page).nth(0).click()
    page.keyboard.press("Home")
    for _ in range(len("Fresh lemons")):
        page.keyboard.press("ArrowRight")
    tools = page.get_by_role("toolbar")
    tools.get_by_role("button", name="Split here").click()
    expect(words(page)).to_have_count(4)
    expect(words(page).nth(1)).to_have_value("at the harbour.")
    words(page).nth(1).click()
    tools.get_by_role("button", name="Join with next").click()
    expect(words(page).nth(1)).to_have_value("at the harbour. Perhaps some zebras.")
    words(page).nth(2).click()
    tools.get_by_role("button", name="Delete").click()
    expect(words(page)).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(words(page)).to_have_count(3)
    tools.get_by_role("button", name="Add after").click()
    page.keyboard.type("One more.")
    save(page)
    news(page, "Saved")
    assert "One more." in made.texts()
    assert made.texts()[:2] == ["Fresh lemons", "at the harbour. Perhaps some zebras."]


def test_words_are_corrected_with_the_keyboard_alone(author: Visitor, made: Made) -> None:
    page = author.page
    page.evaluate(WATCH_LINES)
    words(page).nth(0).focus()
    page.keyboard.press("Enter")
    expect(words(page).nth(1)).to_be_focused()
    page.keyboard.press("Control+Enter")
    author.until("lit[0] === 1")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Line 2 is right")).to_be_focused()
    page.keyboard.press("Enter")
    expect(words(page).nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Start later")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(words(page).nth(2)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("The market opens at ten.")
    page.keyboard.press("Control+s")
    news(page, "Saved")
    cues = made.now()["transcript"]["cues"]
    assert [cue["text"] for cue in cues][2] == "The market opens at ten."
    assert (cues[1]["unsure"], cues[1]["start_s"]) == (False, 0.9)


def test_of_two_tabs_the_later_is_told_and_loses_nothing(author: Visitor, made: Made) -> None:
    first, second = author.page, author.context.new_page()
    second.goto(made.path)
    words(first).nth(0).fill("From the first tab.")
    words(second).nth(2).fill("From the second tab.")
    save(first)
    news(first, "Saved")
    save(second)
    news(second, "Somebody changed these words meanwhile")
    expect(words(second).nth(2)).to_have_value("From the second tab.")
    assert made.texts()[0] == "From the first tab."
    second.get_by_role("button", name="Save mine in their place").click()
    news(second, "Saved")
    assert made.texts() == ["Fresh lemons at the harbour.", "Perhaps some zebras.", "From the second tab."]


def test_what_was_not_saved_is_there_after_a_reload(author: Visitor, made: Made) -> None:
    page = author.page
    page.once("dialog", lambda dialog: dialog.accept())
    words(page).nth(0).fill("Half a thought")
    page.reload()
    expect(words(page).nth(0)).to_have_value("Half a thought")
    news(page, "unsaved changes from before are back")
    page.get_by_role("button", name="Drop my changes").click()
    expect(words(page).nth(0)).to_have_value(CUES[0]["text"])
    assert made.texts()[0] == CUES[0]["text"]


def test_without_a_connection_words_stay_and_go_out_later(author: Visitor, made: Made) -> None:
    page = author.page
    words(page).nth(0).fill("Said in a tunnel.")
    with author.offline():
        save(page)
        news(page, "no connection")
    save(page)
    news(page, "Saved")
    assert made.texts()[0] == "Said in a tunnel."


def test_the_words_are_a_plain_form_without_a_script(signed_in: Callable[..., Visitor], made: Made) -> None:
    page = signed_in(made.handle, java_script_enabled=False).page
    page.goto(made.path)
    page.locator("textarea[name=text-1]").fill("Written plainly.")
    page.locator("input[name=unsure-1]").uncheck()
    page.get_by_role("button", name="Save the words").click()
    expect(page.get_by_text("The words are saved")).to_be_visible()
    assert made.texts()[1] == "Written plainly."


def test_withdrawing_asks_first(signed_in: Callable[..., Visitor], stage: Stage, tmp_path: Any) -> None:
    handle = stage.account()
    code = stage.publish(recorded(tmp_path, 1), stage.token(handle), title="Gone soon")["code"]
    stage.ready(code)
    page = signed_in(handle).page
    page.goto(f"/studio/bubbles/{code}")
    page.get_by_text("Take this bubble back for good").click()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.get_by_label("Yes, delete its sound")).to_be_focused()
    page.get_by_label("Yes, delete its sound").check()
    page.get_by_role("button", name="Withdraw", exact=True).click()
    page.wait_for_url("**/studio?shelf=withdrawn")
    with stage.service.client() as client:
        assert client.get(f"/api/bubbles/{code}").status_code == 404
