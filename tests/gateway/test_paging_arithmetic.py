"""Listings page without walking: every answer equals that of sorting everything."""

from hypothesis import given, settings
from hypothesis import strategies as st

from devstack.gateway.catalogue import Catalogue
from devstack.gateway.live import LiveCatalogue
from devstack.gateway.revision import Kind
from devstack.gateway.wheel import SPOKES, Filter

_CATALOGUES = {size: Catalogue(3, size) for size in (0, 1, 500, SPOKES + 1, 2 * SPOKES + 777)}
_NOW = _CATALOGUES[500].base_traits(7).modified


@st.composite
def _changed_catalogues(draw: st.DrawFn) -> LiveCatalogue:
    live = LiveCatalogue(draw(st.sampled_from(list(_CATALOGUES.values()))))
    for _ in range(draw(st.integers(0, 3))):
        kinds = [draw(st.sampled_from(Kind))]
        live.mutate(live.choose(draw(st.integers(0, 40))), kinds, _NOW + draw(st.sampled_from((0, 10**9))))
        live.delist(live.choose(draw(st.integers(0, 20))))
    return live


_filters = st.builds(
    Filter,
    leaves=st.none() | st.frozensets(st.sampled_from((1031910, 1031918, 122084002)), min_size=1),
    statuses=st.none() | st.sampled_from((frozenset({"published"}), frozenset({"expired", "TBD"}))),
    modified_from=st.none() | st.just(_NOW),
    modified_to=st.none() | st.just(_NOW + 1000),
)


@settings(max_examples=40)
@given(live=_changed_catalogues(), conditions=_filters, by_modification=st.booleans())
def test_a_listing_equals_a_sorted_scan(live: LiveCatalogue, conditions: Filter, by_modification: bool) -> None:
    catalogue = live.catalogue
    alive = [index for index in range(catalogue.size) if live.find(catalogue.id_of(index)) is not None]
    expected = [index for index in alive if conditions.matches(live.traits(index))]
    if by_modification:
        expected.sort(key=lambda index: (live.traits(index).modified, index))
    listing = live.listing(conditions, by_modification=by_modification)
    assert len(listing) == len(expected)
    assert listing.window(0, catalogue.size) == expected
    assert listing.window(3, 5, descending=True) == expected[::-1][3:8]
