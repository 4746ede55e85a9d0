"""The browser itself finds the pages fit to be installed."""


def test_the_browser_offers_to_install_the_pages(visit, stage):
    visitor = visit()
    visitor.page.goto("/")
    browser = visitor.context.new_cdp_session(visitor.page)
    manifest = browser.send("Page.getAppManifest")
    assert manifest["url"] == f"{stage.origin}/app.webmanifest"
    assert manifest["errors"] == []
    errors = browser.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A profile that keeps nothing is never offered it, which is no fault of the page.
    assert {error["errorId"] for error in errors} <= {"in-incognito"}
