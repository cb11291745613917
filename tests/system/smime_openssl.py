# SPDX-License-Identifier: GPL-3.0-or-later
"""S/MIME made by `openssl cms` and `openssl smime`, in the variants that they can make."""

import itertools

import harness
from smime_messages import (CONTENTS, LARGE, MIXED, PLAIN, SENDER, Message, detached, encrypted,
                            mail, opaque, openssl, recipients, sealed, signed, signer, signers)

MICALG = {"sha1": "sha1", "sha224": "sha-224", "sha256": "sha-256", "sha384": "sha-384",
          "sha512": "sha-512", "md5": "md5"}
SCHEME = {"rsa": "rsa-pkcs1", "p25": "ecdsa", "p38": "ecdsa", "p52": "ecdsa"}


def scheme_of(holder):
    return SCHEME.get(holder.name[:3], "ecdsa")


class Openssl:
    """The commands, on files in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.number = 0

    def run(self, program, *arguments, content, form="DER", last=()):
        self.number += 1
        source, target = (self.folder / f"{word}{self.number}" for word in ("in", "out"))
        source.write_bytes(content)
        openssl(program, *arguments, "-in", source, "-outform", form, "-out", target,
                *last)
        return target.read_bytes()

    def sign(self, content, by, *options, mode="detached", md="sha256", each=(), program="cms",
             certificates=True, form="DER"):
        words = ["-sign", "-binary", "-md", md]
        for holder in by:
            words += ["-signer", holder.certificate, "-inkey", holder.key, *each]
            if holder.between and certificates:
                words += ["-certfile", holder.between]
        if mode == "opaque":
            words.append("-nodetach")
        return self.run(program, *words, *options, content=content, form=form)

    def encrypt(self, content, to, cipher, *options, each=(), program="cms", form="DER",
                recipient_options=True):
        words = ["-encrypt", "-binary", f"-{cipher}", *options]
        if not recipient_options:
            return self.run(program, *words, content=content, form=form,
                            last=[holder.certificate for holder in to])
        for holder in to:
            words += ["-recip", holder.certificate, *each]
        return self.run(program, *words, content=content, form=form)


def sign_entity(mode, content, cms, micalg="sha-256"):
    return detached(content, cms, micalg) if mode == "detached" else opaque(cms)


class Workplace:
    """What messages of openssl are made with, in `folder`."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.tool = Openssl(folder)
        self.signers = signers()
        self.recipients = recipients()
        self.root = self.signers["rsa2048"].root


class OpensslMessages(Workplace):
    """Everything of one run."""

    def all(self):
        yield from self.signed_keys()
        yield from self.signed_forms()
        yield from self.signed_own_mime()
        yield from self.signed_smime()
        yield from self.encrypted_ciphers()
        yield from self.encrypted_transports()
        yield from self.encrypted_forms()
        yield from self.layered()

    # ---- signed ---------------------------------------------------------------------------------

    def signed_message(self, name, holder, cms, mode="detached", content=PLAIN, md="sha256",
                       scheme=None, **more):
        by = more.pop("by", [signer(holder, md, scheme or scheme_of(holder))])
        return Message(f"openssl {name}", mail(sign_entity(mode, content, cms, MICALG[md])),
                       [signed(mode, *by)], content=content, cas=[self.root], **more)

    def signed_keys(self):
        """Keys, digests, schemes; detached and opaque, streamed and not."""
        strong = ["sha256", "sha384", "sha512"]
        rows = [(name, md, None) for name in ("rsa2048", "p256", "p384") for md in strong]
        rows += [(name, "sha256", None) for name in ("rsa3072", "rsa4096")]
        rows += [("rsa2048", "sha224", None), ("p256", "sha224", None)]
        rows += [("rsa2048", md, []) for md in strong]
        rows += [("rsa3072", "sha256", ["rsa_pss_saltlen:max"]),
                 ("rsa2048", "sha256", ["rsa_pss_saltlen:0"]),
                 ("rsa2048", "sha256", ["rsa_pss_saltlen:20"]),
                 ("rsa2048", "sha512", ["rsa_pss_saltlen:digest"]),
                 ("rsa2048", "sha256", ["rsa_mgf1_md:sha1"]),
                 ("rsa2048", "sha256", ["rsa_mgf1_md:sha512"])]
        for (name, md, pss), mode, stream in itertools.product(rows, ("detached", "opaque"),
                                                              ("-stream", "-noindef")):
            each = []
            if pss is not None:
                for word in ["rsa_padding_mode:pss", *pss]:
                    each += ["-keyopt", word]
            if each and stream == "-stream":
                continue  # "illegal zero content": openssl 3.0 cannot stream with PSS
            holder = self.signers[name]
            cms = self.tool.sign(PLAIN, [holder], stream, mode=mode, md=md, each=each)
            words = f"sign {name} {md} {'pss ' + ' '.join(pss) if pss is not None else ''}"
            yield self.signed_message(f"{words.strip()} {mode} {stream[1:]}", holder, cms, mode,
                                      md=md, scheme="rsa-pss" if pss is not None else None)

    def signed_forms(self):
        """What else a SignedData may hold or lack."""
        holder, other = self.signers["rsa2048"], self.signers["p256"]
        forms = {"keyid": ["-keyid"], "cades": ["-cades"], "noattr": ["-noattr"],
                 "nosmimecap": ["-nosmimecap"], "keyid noattr": ["-keyid", "-noattr"],
                 "receipt": ["-receipt_request_all", "-receipt_request_to", SENDER],
                 "more certificates": ["-certfile", self.many_certificates()]}
        for (name, options), mode in itertools.product(forms.items(), ("detached", "opaque")):
            cms = self.tool.sign(MIXED, [holder], *options, mode=mode)
            yield self.signed_message(f"sign {name} {mode}", holder, cms, mode, MIXED)
        for (name, content), mode in itertools.product(CONTENTS.items(), ("detached", "opaque")):
            cms = self.tool.sign(content, [holder], "-stream", mode=mode)
            yield self.signed_message(f"sign content {name} {mode}", holder, cms, mode, content)
        for mode in ("detached", "opaque"):
            cms = self.tool.sign(PLAIN, [holder, other], mode=mode)
            yield self.signed_message(
                f"sign two {mode}", holder, cms, mode,
                by=[signer(holder, "sha256", "rsa-pkcs1"), signer(other, "sha256", "ecdsa")])
            cms = self.tool.sign(PLAIN, [holder], "-nocerts", mode=mode, certificates=False)
            nobody = {"reason": "no-certificate", "signature": "no-certificate"}
            message = self.signed_message(f"sign nocerts {mode}", holder, cms, mode, by=[nobody],
                                          reason="no-certificate")
            message.content = None
            yield message

    def many_certificates(self):
        """The authority between among them: of several -certfile openssl takes the last alone."""
        path = self.folder / "many.pem"
        others = [self.signers["p256"], self.signers["rsa4096"], *self.recipients.values()]
        files = [*(one.certificate for one in others), self.signers["rsa2048"].between]
        path.write_bytes(b"".join(file.read_bytes() for file in files))
        return path

    def signed_own_mime(self):
        """The message as openssl's own MIME writer has it."""
        holder = self.signers["rsa2048"]
        for mode, stream in itertools.product(("detached", "opaque"), ("-stream", "-noindef")):
            made = self.tool.sign(PLAIN, [holder], stream, "-crlfeol", "-from", SENDER, "-to",
                                  "bob@example.org", "-subject", "own MIME", mode=mode,
                                  form="SMIME")
            message = self.signed_message(f"sign own MIME {mode} {stream[1:]}", holder, b"", mode)
            message.mail = harness.with_crlf(made)
            yield message

    def signed_smime(self):
        """PKCS #7, by `openssl smime`."""
        holder = self.signers["rsa2048"]
        for (name, options), mode in itertools.product(
                {"": [], "noattr": ["-noattr"], "nochain": ["-nochain"]}.items(),
                ("detached", "opaque")):
            cms = self.tool.sign(PLAIN, [holder], *options, mode=mode, program="smime")
            yield self.signed_message(" ".join(f"smime sign {name} {mode}".split()), holder, cms,
                                      mode)

    # ---- encrypted ------------------------------------------------------------------------------

    def encrypted_message(self, name, holder, cms, cipher, transport, content=PLAIN, **more):
        return Message(f"openssl {name}", mail(sealed(cms, cipher)),
                       [encrypted(cipher, transport, holder)], content=content,
                       keys=[holder.both(self.folder)], **more)

    def encrypted_ciphers(self):
        old = ["-provider", "legacy", "-provider", "default"]
        ciphers = {"aes-128-cbc": [], "aes-192-cbc": [], "aes-256-cbc": [], "aes-128-gcm": [],
                   "aes-192-gcm": [], "aes-256-gcm": [], "des3": [], "rc2-40": old, "rc2-64": old,
                   "rc2": old}
        words = {"des3": "3des-cbc", "rc2-40": "rc2-40-cbc", "rc2-64": "rc2-64-cbc",
                 "rc2": "rc2-128-cbc"}
        to = [(self.recipients["rsa2048"], "rsa-pkcs1"), (self.recipients["p256"], "ecdh")]
        for (cipher, options), (holder, transport), stream in itertools.product(
                ciphers.items(), to, ("-stream", "-noindef")):
            if cipher in ("rc2-40", "rc2-64") and transport == "ecdh":
                continue  # AES wraps no key of less than 16 octets (RFC 3394)
            cms = self.tool.encrypt(PLAIN, [holder], cipher, stream, *options)
            yield self.encrypted_message(f"encrypt {cipher} {holder.name} {stream[1:]}", holder,
                                         cms, words.get(cipher, cipher), transport)
        holder = self.recipients["rsa2048"]
        for name in ("camellia-128-cbc", "des"):
            cms = self.tool.encrypt(PLAIN, [holder], name, *(old if name == "des" else []))
            message = self.encrypted_message(f"encrypt {name}", holder, cms, "", "rsa-pkcs1",
                                             reason="unsupported-algorithm")
            message.layers = [{"type": "encrypted", "reason": "unsupported-algorithm"}]
            message.content = None
            yield message

    def encrypted_transports(self):
        """Every way to the content key, for each key."""
        digests = ("sha1", "sha224", "sha256", "sha384", "sha512")
        rows = [(name, "rsa-pkcs1", []) for name in ("rsa2048", "rsa3072", "rsa4096")]
        rows += [(name, "rsa-oaep", ["rsa_padding_mode:oaep"])
                 for name in ("rsa2048", "rsa3072", "rsa4096")]
        rows += [("rsa2048", "rsa-oaep", ["rsa_padding_mode:oaep", f"rsa_oaep_md:{md}",
                                          f"rsa_mgf1_md:{mask}"])
                 for md, mask in itertools.product(digests, digests)]
        rows += [("rsa2048", "rsa-oaep", ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256",
                                          "rsa_oaep_label:0001ff7f"])]
        for name in ("p256", "p384"):
            rows += [(name, "ecdh", [])]
            rows += [(name, "ecdh", [f"ecdh_kdf_md:{md}"]) for md in digests]
            rows += [(name, "ecdh", ["ecdh_cofactor_mode:1", f"ecdh_kdf_md:{md}"])
                     for md in digests]
        ciphers = itertools.cycle(("aes-256-cbc", "aes-128-gcm"))
        for (name, transport, keyopt), cipher in zip(rows, ciphers):
            each = [word for one in keyopt for word in ("-keyopt", one)]
            holder = self.recipients[name]
            cms = self.tool.encrypt(PLAIN, [holder], cipher, each=each)
            yield self.encrypted_message(f"encrypt {cipher} {name} {' '.join(keyopt)}".strip(),
                                         holder, cms, cipher, transport)
        for wrap, name in itertools.product(("aes128", "aes192", "aes256", "des3"),
                                            ("p256", "p384")):
            holder = self.recipients[name]
            cms = self.tool.encrypt(PLAIN, [holder], "aes-256-cbc", f"-{wrap}-wrap")
            yield self.encrypted_message(f"encrypt {name} {wrap}-wrap", holder, cms, "aes-256-cbc",
                                         "ecdh")

    def encrypted_forms(self):
        """Other recipients beside ours, other names of ours, contents."""
        ours = self.recipients["rsa2048"]
        everybody = list(self.recipients[name] for name in ("rsa3072", "p256", "rsa2048", "p384",
                                                            "rsa4096"))
        for holder in everybody:
            cms = self.tool.encrypt(PLAIN, everybody, "aes-128-cbc")
            yield self.encrypted_message(
                f"encrypt many, {holder.name} of them", holder, cms, "aes-128-cbc",
                "rsa-pkcs1" if holder.name.startswith("rsa") else "ecdh")
        for name in ("rsa2048", "p256"):
            holder = self.recipients[name]
            cms = self.tool.encrypt(PLAIN, [holder], "aes-256-gcm", "-keyid")
            yield self.encrypted_message(f"encrypt keyid {name}", holder, cms, "aes-256-gcm",
                                         "ecdh" if name == "p256" else "rsa-pkcs1")
        others = {"password": ["-pwri_password", "secret"],
                  "secret key": ["-secretkey", "00" * 16, "-secretkeyid", "0102"]}
        for name, options in others.items():
            cms = self.tool.encrypt(PLAIN, [ours], "aes-128-cbc", *options)
            yield self.encrypted_message(f"encrypt beside a {name}", ours, cms, "aes-128-cbc",
                                         "rsa-pkcs1")
        for (name, content), cipher in itertools.product(CONTENTS.items(),
                                                         ("aes-256-cbc", "aes-256-gcm")):
            cms = self.tool.encrypt(content, [ours], cipher, "-stream")
            yield self.encrypted_message(f"encrypt content {name} {cipher}", ours, cms, cipher,
                                         "rsa-pkcs1", content)
        for cipher, word in (("aes256", "aes-256-cbc"), ("des3", "3des-cbc")):
            cms = self.tool.encrypt(PLAIN, [ours], cipher, program="smime",
                                    recipient_options=False)
            yield self.encrypted_message(f"smime encrypt {cipher}", ours, cms, word, "rsa-pkcs1")
        made = self.tool.encrypt(PLAIN, [ours], "aes-256-cbc", "-crlfeol", "-from", SENDER, "-to",
                                 "bob@example.org", "-subject", "own MIME", form="SMIME")
        message = self.encrypted_message("encrypt own MIME", ours, b"", "aes-256-cbc", "rsa-pkcs1")
        message.mail = harness.with_crlf(made)
        yield message

    # ---- several layers -------------------------------------------------------------------------

    def layered(self):
        """Sign, then encrypt; encrypt, then sign; all three."""
        ours = self.recipients["rsa2048"]
        for order, name, mode, cipher in itertools.product(
                ("se", "es", "ses", "ess", "eses"), ("rsa2048", "p384"), ("detached", "opaque"),
                ("aes-256-cbc", "aes-128-gcm")):
            holder = self.signers[name]
            entity, layers = LARGE if order == "se" else MIXED, []
            for letter in order:
                if letter == "s":
                    cms = self.tool.sign(entity, [holder], "-stream", mode=mode)
                    entity = sign_entity(mode, entity, cms)
                    layers.insert(0, signed(mode, signer(holder, "sha256", scheme_of(holder))))
                else:
                    entity = sealed(self.tool.encrypt(entity, [ours], cipher, "-stream"), cipher)
                    layers.insert(0, encrypted(cipher, "rsa-pkcs1", ours))
            yield Message(f"openssl layers {order} {name} {mode} {cipher}", mail(entity), layers,
                          content=LARGE if order == "se" else MIXED, cas=[self.root],
                          keys=[ours.both(self.folder)])
