"""Offer ids as people paste them."""

import pytest

from syncjobs.connectors.alibaba1688.offer_links import normalize_offer_id


@pytest.mark.parametrize(
    "pasted",
    [
        "768809123456",
        " 768809123456\n",
        "7688 0912 3456",
        "1688-768809123456",
        "https://detail.1688.com/offer/768809123456.html",
        "https://detail.1688.com/offer/768809123456.html?spm=a26352&offerId=1#top",
        "http://m.1688.com/offer/768809123456.htm",
        "https://DETAIL.1688.com/offer/768809123456.html",
        "detail.1688.com/offer/768809123456.html",
        "//detail.1688.com/offer/768809123456",
        "https://detail.1688.com/offer/768809123456/",
        "https://m.1688.com/page/index.html?offerId=768809123456&x=1",
    ],
)
def test_every_form_of_a_link_gives_the_offer_id(pasted: str) -> None:
    assert normalize_offer_id(pasted) == "768809123456"


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "abc",
        "12345",
        "1" * 31,
        "-768809123456",
        "７６８８０９１２３４５６",
        "1688-",
        "https://1688.com.evil.com/offer/768809123456.html",
        "https://evil.com/offer/768809123456.html",
        "https://evil.com/?offerId=768809123456",
        "ftp://detail.1688.com/offer/768809123456.html",
        "https://detail.1688.com/",
        "https://detail.1688.com/offer/abc.html",
        "https://m.1688.com/?offerId=768809123456&offerId=768809123457",
        "https://[detail.1688.com/offer/768809123456.html",
    ],
)
def test_anything_else_is_refused_with_the_forms_that_are_not(pasted: str) -> None:
    with pytest.raises(ValueError, match=r"detail\.1688\.com/offer"):
        normalize_offer_id(pasted)


@pytest.mark.parametrize(
    "link", ["https://item.taobao.com/item.htm?id=768809123456", "detail.tmall.com/?offerId=768809123456"]
)
def test_a_taobao_link_is_refused_with_the_reason(link: str) -> None:
    with pytest.raises(ValueError, match="Taobao"):
        normalize_offer_id(link)
