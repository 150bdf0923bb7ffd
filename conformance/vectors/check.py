#!/usr/bin/env python3
"""Uses the vectors beside it; takes nothing but Python's own library.

    python3 check.py [DIR]
"""
import ipaddress, json, pathlib, struct, sys


def siphash(data):
    """SipHash-2-4 under the key zero."""
    mask = (1 << 64) - 1
    a, b, c, d = 0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261, 0x7465646279746573
    rotl = lambda x, n: (x << n | x >> 64 - n) & mask

    def rounds(n):
        nonlocal a, b, c, d
        for _ in range(n):
            a = (a + b) & mask; b = rotl(b, 13) ^ a; a = rotl(a, 32)
            c = (c + d) & mask; d = rotl(d, 16) ^ c
            a = (a + d) & mask; d = rotl(d, 21) ^ a
            c = (c + b) & mask; b = rotl(b, 17) ^ c; c = rotl(c, 32)

    data += bytes(-(len(data) + 1) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", data):
        d ^= word; rounds(2); a ^= word
    c ^= 255
    rounds(4)
    return a ^ b ^ c ^ d


def v1_key(i):
    if "shared_key" in i:
        parts = [i["shared_key"]]
    else:
        ip = ipaddress.ip_address(i["address"])
        if ip.version == 6 and ip.ipv4_mapped and i.get("spelling") != "groups":
            ip = ip.ipv4_mapped
        if ip.version == 6:
            ip = "[" + ":".join("%x" % int(g, 16) for g in ip.exploded.split(":")) + "]"
        parts = ["%s:%d" % (ip, i["port"])] + ([i["address_key"]] if "address_key" in i else [])
    parts += [i["uid"], i["channel"]]
    return parts, siphash(b"".join(p.encode() + b"\xff" for p in parts))


def check_v1_key(i):
    parts, key = v1_key(i)
    return {"hashed": parts, "key": "%016x" % key, "cid": "%08x" % (key & 0xffffffff)}


def check_v1_frame(i):
    b = bytes.fromhex(i["bytes"])
    assert len(b) > 16 and b[:1] == b"M"
    length = int.from_bytes(b[1:4], "big")
    assert 0 < length == len(b) - 16
    return {"length": length, "cid": b[4:8].hex(), "key": b[8:16].hex(), "body": b[16:].hex()}


def check_v2_auth(i):
    data = (i["uid"] + i["channel"] + i["shared_key"]).encode()
    digits = i["auth"].removeprefix("+")
    assert digits and set(digits) <= set("0123456789abcdefABCDEF")
    assert int(digits, 16) == siphash(data)
    return {"hashed": data.hex(), "auth": "%016x" % siphash(data)}


def cbor(major, s):
    n = len(s)
    return bytes([major << 5 | n] if n < 24 else [major << 5 | 24, n] if n < 256 else [major << 5 | 25, n >> 8, n & 255]) + s


def check_v2_to_v1(i):
    key = v1_key(i)[1]
    body = b"\xa3" + b"".join(cbor(3, s.encode()) for s in ["uid", i["uid"], "channel", i["channel"], "message"])
    body += cbor(2, bytes.fromhex(i.get("payload", "")))
    head = b"M" + len(body).to_bytes(3, "big") + (key & 0xffffffff).to_bytes(4, "big") + key.to_bytes(8, "big")
    return {"frame": (head + body).hex()}


def main(folder):
    checks = {"v1-key": check_v1_key, "v1-frame": check_v1_frame, "v2-auth": check_v2_auth, "v2-to-v1": check_v2_to_v1}
    failed = 0
    for kind, check in checks.items():
        files = sorted(folder.glob(kind + "/*.json"))
        failed += not files
        for f in files:
            v = json.loads(f.read_text())
            try:
                right = check(v["input"]) == v.get("output") if v["valid"] else not check(v["input"])
            except AssertionError:
                right = not v["valid"]
            if not right:
                failed += 1
                print("WRONG", v["id"], "-", v["says"])
        print("%s: %d vectors" % (kind, len(files)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent))
