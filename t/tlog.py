"""tlog: signed notes, checkpoints, cosignatures, proofs and tiles, read by
the words of c2sp.org and RFC 6962, with nothing of ours.

    tlog.py receipt POLICY FILE...   each must be right by that policy's keys
    tlog.py checkpoint POLICY FILE   it must be signed as that policy asks
    tlog.py tiles FOLDER             the tree must be that of its checkpoint
    tlog.py alter FILE...            change one bit of each
"""
import base64
import hashlib
import os
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import \
    Ed25519PublicKey


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf(data):
    return sha256(b"\0", data)


def node(left, right):
    return sha256(b"\1", left, right)


def root(hashes):
    """RFC 6962, 2.1, over leaf hashes."""
    n = len(hashes)
    if n == 0:
        return sha256()
    if n == 1:
        return hashes[0]
    k = 1
    while 2 * k < n:
        k *= 2
    return node(root(hashes[:k]), root(hashes[k:]))


def included(index, size, h, path):
    """RFC 9162, 2.1.3.2: the root that a path leads to."""
    fn, sn = index, size - 1
    for p in path:
        assert sn > 0
        if fn & 1 or fn == sn:
            h = node(p, h)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            h = node(h, p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return h


class Key:
    """A verifier key: name+id+base64(type || key)."""

    def __init__(self, vkey):
        self.name, self.id, key = vkey.split("+", 2)
        key = base64.b64decode(key, validate=True)
        self.type, self.key = key[0], Ed25519PublicKey.from_public_bytes(
            key[1:])
        assert self.id == sha256(self.name.encode(), b"\n", key)[:4].hex()

    def verify(self, text, sig):
        if self.type == 1:
            self.key.verify(sig, text)
        else:
            assert self.type == 4 and len(sig) == 72
            time = int.from_bytes(sig[:8], "big")
            self.key.verify(sig[8:], b"cosignature/v1\ntime %d\n" % time +
                            text)


def signers(note, keys):
    """The text of a note, and whose signatures verify; all must."""
    at = note.rindex(b"\n\n") + 1
    text, lines = note[:at], note[at + 1:].decode().splitlines()
    found = []
    for line in lines:
        dash, name, sig = line.split(" ")
        assert dash == "\u2014"
        sig = base64.b64decode(sig, validate=True)
        key = keys[name, sig[:4].hex()]
        key.verify(text, sig[4:])
        found.append(key)
    return text, found


def head(text):
    origin, size, tree = text.decode().splitlines()
    return origin, int(size), base64.b64decode(tree, validate=True)


def policy(path):
    keys, need = {}, 0
    for line in open(path):
        word = line.split()
        if word[0] in ("log", "witness"):
            key = Key(word[-1])
            keys[key.name, key.id] = key
        elif word[0] == "group":
            need = int(word[2])
    return keys, need


def checkpoint(note, keys, need):
    """Its size and root, if the ledger's and enough cosignatures are there."""
    text, found = signers(note, keys)
    origin, size, tree = head(text)
    assert any(k.type == 1 and k.name == origin for k in found)
    assert len({k.name for k in found if k.type == 4}) >= need > 0
    return size, tree


def receipt(path, keys, need):
    data = open(path, "rb").read()
    part = data.split(b"\ntransaction ", 1)[1]
    length, part = part.split(b"\n", 1)
    tx, part = part[:int(length)], part[int(length):]
    length, part = part.split(b"\n", 1)
    assert length == b"proof %d" % len(part)
    proof, note = part.split(b"\n\n", 1)
    first, index, *path = proof.decode().splitlines()
    assert first == "c2sp.org/tlog-proof@v1"
    size, tree = checkpoint(note, keys, need)
    path = [base64.b64decode(p, validate=True) for p in path]
    assert tree == included(int(index.split()[1]), size,
                            leaf(sha256(tx)), path)


def tiles(folder):
    """From the entries alone, and from the tiles alone."""
    text = open(folder + "/checkpoint", "rb").read().split(b"\n\n")[0] + b"\n"
    size, tree = head(text)[1:]

    def read(level, count, width):
        out = b""
        for n in range((count + 255) // 256):
            name = "%s/tile/%s/%03d" % (folder, level, n)
            some = min(256, count - 256 * n)
            if not os.path.exists(name):
                name += ".p/%d" % some
            part = open(name, "rb").read()
            assert len(part) >= some * width
            out += part[:some * width]
        return [out[i:i + width] for i in range(0, len(out), width)]

    entries = read("entries", size, 34)
    assert all(e[:2] == b"\0\x20" for e in entries)
    hashes = [leaf(e[2:]) for e in entries]
    assert root(hashes) == tree
    level = 0
    while hashes:
        assert read(level, len(hashes), 32) == hashes
        hashes = [root(hashes[i:i + 256])
                  for i in range(0, len(hashes) // 256 * 256, 256)]
        level += 1


def alter(path, n):
    data = bytearray(open(path, "rb").read())
    data[n * 7919 % len(data)] ^= 1 << n % 8
    open(path, "wb").write(data)


if sys.argv[1] == "receipt":
    trusted = policy(sys.argv[2])
    for name in sys.argv[3:]:
        receipt(name, *trusted)
    print(len(sys.argv) - 3, "right")
elif sys.argv[1] == "checkpoint":
    checkpoint(open(sys.argv[3], "rb").read(), *policy(sys.argv[2]))
elif sys.argv[1] == "tiles":
    tiles(sys.argv[2])
elif sys.argv[1] == "alter":
    for i, name in enumerate(sys.argv[2:]):
        alter(name, i)
