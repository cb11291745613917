# SPDX-License-Identifier: GPL-3.0-or-later
"""What the openssl command says of an S/MIME message, layer by layer: whether each signature is
right (nobody asks whom it belongs to), and what is innermost. The judge of the messages that
smime_peers.py has made, before the gateway sees them."""

import base64

import harness
from smime_messages import openssl

SIGNED = bytes.fromhex("06092a864886f70d010702")
ENCRYPTED = (bytes.fromhex("06092a864886f70d010703"),
             bytes.fromhex("060b2a864886f70d0109100117"))


def kind_of(cms):
    """By the CMS's own type, which stands at its beginning."""
    begin = cms[:20]
    if SIGNED in begin:
        return "signed"
    return "encrypted" if any(oid in begin for oid in ENCRYPTED) else "other"


class Oracle:
    def __init__(self, folder):
        self.folder = folder
        self.number = 0

    def file(self, content=None):
        self.number += 1
        path = self.folder / f"oracle{self.number}"
        if content is not None:
            path.write_bytes(content)
        return path

    def open(self, mail, keys=()):
        """(kinds, outermost first; the innermost entity). AssertionError: openssl cannot."""
        entity, kinds = harness.entity_of(mail), []
        while harness.split_mail(entity) is not None:
            media = harness.content_type_of(entity).lower()
            if media.startswith(b"multipart/signed"):
                cms, content = harness.signed_parts(entity)
            elif b"pkcs7-mime" in media or b".p7m" in media:
                cms, content = base64.b64decode(harness.split_mail(entity)[1]), None
            else:
                break
            kinds.append(kind_of(cms))
            entity = self.verify(cms, content) if kinds[-1] == "signed" else self.decrypt(cms, keys)
        return kinds, entity

    def verify(self, cms, content):
        out = self.file()
        openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", self.file(cms),
                "-out", out, *(["-content", self.file(content)] if content is not None else []))
        return out.read_bytes()

    def decrypt(self, cms, keys):
        if not keys:
            raise AssertionError("encrypted, and there is no key")
        out = self.file()
        for key in keys:
            openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-in", self.file(cms), "-recip",
                    key, "-inkey", key, "-out", out, "-provider", "default", "-provider", "legacy")
        return out.read_bytes()
