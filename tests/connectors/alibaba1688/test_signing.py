"""Signatures, against the platform's own example and vectors checked with `openssl dgst -sha1 -hmac`."""

import pytest

from syncjobs.connectors.alibaba1688.signing import sign, sign_message_channel

TIME = "param2/1/system/currentTime"
STAMP = {"_aop_timestamp": "1763471348000"}
EXPIRED_MESSAGE = (
    '{"msgId":5746327830,"type":"PRODUCT_RELATION_VIEW_PRODUCT_EXPIRE","userInfo":"b2b-28308412336ca4e7",'
    '"data":{"productIds":"547096780502","memberId":"b2b-28308412336ca4e7","status":"RELATION_VIEW_PRODUCT_EXPIRE",'
    '"msgSendTime":"2025-11-18 20:28:42"},"gmtBorn":1763468922000}'
)
VECTORS = {
    "A": (f"{TIME}/1000000", {"b": "2", "a": "1"}, "test123", "33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88"),
    "B": (
        "param2/1/com.alibaba.product/alibaba.product.get/1000000",
        {
            **STAMP,
            "access_token": "f14da3b8-b0b1-4f73-a5de-9bed637e0188",
            "productID": "584051070147",
            "webSite": "1688",
        },
        "test123",
        "641016C6E6769D2BCC92A3D2746B8050183D332E",
    ),
    "C": (
        "param2/1/com.alibaba.fenxiao.crossborder/product.search.keywordQuery/1000000",
        {
            **STAMP,
            "access_token": "tok",
            "offerQueryParam": '{"keyword":"连衣裙","beginPage":1,"pageSize":20,"country":"en"}',
        },
        "test123",
        "92963822321464F69332046CF6B6D48E61495AA9",
    ),
    "D": (
        "param2/1/ns/api/1000000",
        {"page": "zzz", "pageSize": "20"},
        "test123",
        "D8F1D0FA8107E6958D0FD9897D85ED44BD9DECF9",
    ),
    "E": (
        "param2/1/com.alibaba.product/alibaba.product.list.get/1000000",
        {
            **STAMP,
            "access_token": "tok",
            "needDetail": "true",
            "pageNo": "1",
            "pageSize": "20",
            "startModifyTime": "20251118000000000+0800",
            "statusList": '["published"]',
        },
        "test123",
        "0B258B55DBF725E05269D09B8B208F940A75A1B1",
    ),
    "F": ("", {"message": EXPIRED_MESSAGE}, "test123", "E26EE331584E22A3DC976E6F08961FC3ACB616A7"),
    "G": (
        "",
        {
            "data": '{"k":"v"}',
            "gmtBorn": "1700000000000",
            "msgId": "1001",
            "type": "ORDER_CHANGED",
            "userInfo": "m1",
        },
        "secretXYZ",
        "4B20205134EA09C4C8D29CCAC26F6C179EB72C8E",
    ),
    "H": (
        f"{TIME}/TEST_APPKEY_0001",
        {
            "_aop_timestamp": "1700000000000",
            "access_token": "UNIT-TEST-TOKEN-abc123",
            "productId": "694567890123",
        },
        "UNIT-TEST-SECRET",
        "75CD0EB77C5DCB393BD2C2E4DB4CE09849780EC9",
    ),
}


@pytest.mark.parametrize(("path", "params", "secret", "signature"), VECTORS.values(), ids=VECTORS)
def test_a_known_request_has_its_known_signature(
    path: str, params: dict[str, str], secret: str, signature: str
) -> None:
    assert sign(path, params, secret) == signature


def test_a_signature_among_the_parameters_takes_no_part() -> None:
    path, params, secret, signature = VECTORS["A"]
    assert sign(path, params | {"_aop_signature": "old"}, secret) == signature


def test_the_message_channel_is_opened_with_md5() -> None:
    assert sign_message_channel("1000000", "test123", 1763471348000) == "A7C12186D3D667B26621A28C577E313A"
