from importlib.util import find_spec

import pytest

from alignimation_index.render.film.places import place_in_words

needs_names = pytest.mark.skipif(find_spec("reverse_geocode") is None, reason="needs reverse-geocode")


@needs_names
@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        (48.858, 2.294, "Paris, France"),  # by the Eiffel tower, where the nearest town is another
        (46.0207, 7.7491, "Zermatt, Switzerland"),
        (-22.95, -43.21, "Rio de Janeiro, Brazil"),
        (51.5, -0.12, "London, United Kingdom"),
    ],
)
def test_a_place_is_the_large_city_around_it_or_the_village(latitude, longitude, name):
    assert place_in_words(latitude, longitude) == name


@pytest.mark.parametrize(
    ("latitude", "longitude", "words"),
    [
        (-48.8566, -32.3522, "48.86° S, 32.35° W"),
        (0.0, 179.9, "0.00° N, 179.90° E"),
        (89.996, 10, "90.00° N, 10.00° E"),
    ],
)
def test_far_from_towns_it_is_the_coordinates(latitude, longitude, words):
    assert place_in_words(latitude, longitude) == words


def test_a_place_that_is_not_known_is_nothing():
    assert place_in_words(None, None) == ""
