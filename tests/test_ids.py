import math

from bubbles import ids

MANY = 2_000
"""Of URL-safe base64, one code in 64 would begin with a dash."""


def test_a_code_is_a_word_on_a_command_line() -> None:
    codes = [ids.new_code() for _ in range(MANY)]
    assert len(set(codes)) == MANY
    assert all(code.isascii() and code.isalnum() and ids.CODE_PATTERN.fullmatch(code) for code in codes)


def test_a_code_cannot_be_guessed() -> None:
    letters = set("".join(ids.new_code() for _ in range(MANY)))
    assert ids.CODE_LENGTH * math.log2(len(letters)) >= 96


def test_codes_that_were_given_before_are_still_read() -> None:
    assert ids.CODE_PATTERN.fullmatch("-4HdZ8aBrlLN5_AB")
