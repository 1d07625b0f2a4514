"""Country codes: those there are, and no others."""

import pytest

from eckit import InvalidInputError
from eckit.kernel.countries import countries, expect_country


@pytest.mark.parametrize("code", ["JP", "US", "DE", "GB", "TW", "XK", "BV", "IC"])
def test_a_country_is_one(code: str) -> None:
    """ISO 3166-1, territories nobody lives in, and what posts and carriers use besides."""
    assert code == expect_country(code, "country")


@pytest.mark.parametrize("code", ["XX", "ZZ", "XA", "XB", "EU", "EZ", "UN", "QO", "UK", "jp", "JPN", "001", "J", ""])
def test_what_is_none_is_refused(code: str) -> None:
    """Two letters are not enough; the field is named."""
    with pytest.raises(InvalidInputError) as caught:
        expect_country(code, "party.address.country")

    [problem] = caught.value.problems
    assert ("wrong-country", "party.address.country", code) == (problem.code, problem.path, problem.value)


def test_there_are_as_many_as_one_would_think() -> None:
    """The list of the standard has 249; it comes from the CLDR, which may be updated under us."""
    assert 249 <= len(countries()) <= 270
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in countries())
