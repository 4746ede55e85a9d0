"""That the harness sees what it must: a microphone that speaks, a request that strays, an error that is logged."""

import re
import wave

import pytest

from tests.browser.visitor import DESKTOP, Visitor

ASKED = "navigator.mediaDevices.getUserMedia({ audio: true }).then(() => 'heard', (error) => error.name)"
LEVELS = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { autoGainControl: false, noiseSuppression: false,
    echoCancellation: false } });
  const context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(2048);
  const loudest = () => { analyser.getFloatTimeDomainData(samples); return Math.max(...samples.map(Math.abs)); };
  for (let look = 0; look < 800; look += 1) {
    if (loudest() > 0.02) { stream.getTracks().forEach((track) => track.stop()); return true; }
    await new Promise((done) => setTimeout(done, 10));
  }
  return false;
}"""


def to_bare_page(visitor: Visitor) -> None:
    """A page of our origin that forbids itself nothing."""
    visitor.page.route("**/bare", lambda route: route.fulfill(content_type="text/html", body="<title>Bare</title>"))
    visitor.page.goto("/bare")


def test_the_microphone_hears_the_speech(stage, visit, browser_hearing, spoken):
    wav = spoken(lead_s=0.1)
    with wave.open(str(wav.path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
    visitor = visit(browser=browser_hearing(wav.path), permissions=["microphone"])
    to_bare_page(visitor)
    visitor.page.mouse.click(5, 5)  # without a gesture Chromium may keep an audio context suspended
    assert visitor.page.evaluate(LEVELS)


def test_a_microphone_that_was_not_allowed_is_refused(visit):
    visitor = visit()
    to_bare_page(visitor)
    assert visitor.page.evaluate(ASKED) == "NotAllowedError"


def test_a_page_that_does_not_record_may_not_even_ask_for_the_microphone(visit):
    visitor = visit(permissions=["microphone"], allowed=["Permissions policy violation"])
    visitor.page.goto("/")
    assert visitor.page.evaluate(ASKED) == "NotAllowedError"


def test_a_request_elsewhere_and_what_the_page_complains_of_are_seen(visit, stage):
    visitor = visit(kind=DESKTOP, allowed=["Content Security Policy", "meant"])
    visitor.page.goto("/")
    assert visitor.strays(stage.origin) == []
    assert visitor.errors == []
    visitor.page.evaluate("fetch('http://127.0.0.1:9/elsewhere').catch(() => undefined)")
    visitor.page.evaluate("setTimeout(() => { throw new Error('meant'); })")
    visitor.page.evaluate("console.error('not allowed')")
    for said in ("Content Security Policy", "uncaught: .*meant"):
        visitor.seen(lambda said=said: any(re.search(said, error) for error in visitor.errors))
    (complaint,) = visitor.complaints()
    assert "not allowed" in complaint
    visitor.allowed.append("not allowed")


def test_offline_is_offline_and_comes_back(visit):
    visitor = visit()
    visitor.page.goto("/")
    reached = "fetch('/healthz').then((answer) => answer.ok, () => false)"
    with visitor.offline():
        assert not visitor.page.evaluate(reached)
    assert visitor.page.evaluate(reached)


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_a_visitor_signs_in_by_a_one_time_link(signed_in, locale):
    visitor = signed_in(locale=locale)
    assert visitor.page.evaluate("navigator.language") == locale
    assert visitor.page.evaluate("fetch('/me').then((answer) => answer.status)") == 200
    assert [cookie["httpOnly"] for cookie in visitor.context.cookies()] == [
        True,
        True,
    ]  # of the session, and that it is known
