"""What Lighthouse says of the pages that people meet first. Speed is measured in `make bench`, not here."""

import pytest

from tests.browser.lighthouse import report, scores, shortcomings

CATEGORIES = ("accessibility", "best-practices", "seo")
AT_LEAST = 95


@pytest.mark.parametrize("address", ["/", "/b/{code}", "/map"])
def test_the_page_is_accessible_well_made_and_can_be_found(stage, tmp_path, address):
    made = report(stage.origin + address.format(code=stage.code), CATEGORIES, tmp_path)
    assert made["finalDisplayedUrl"].startswith(stage.origin)
    assert set(scores(made)) == set(CATEGORIES)
    assert min(scores(made).values()) >= AT_LEAST, (scores(made), shortcomings(made))
