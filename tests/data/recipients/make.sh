#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the recipients of the tests: one root, and below it a certificate to encrypt to for each kind
# of key. The keys are in the tree, so they protect nothing. Usage: make.sh, in this folder;
# overwrites *.pem.
set -eu
days=36500

key() { # NAME ALGORITHM [OPTION]
    openssl genpkey -algorithm "$2" ${3:+-pkeyopt "$3"} -out "$1.key.pem"
}
issue() { # NAME KEY-USAGE [EXTENSIONS]
    openssl pkey -in "$1.key.pem" -pubout -out "$1.pub"
    printf '%s\n' 'basicConstraints = critical, CA:FALSE' "keyUsage = critical, $2" \
        'extendedKeyUsage = emailProtection' "subjectAltName = email:$1@example.org" \
        'subjectKeyIdentifier = hash' 'authorityKeyIdentifier = keyid' "${3-}" >"$1.ext"
    # X25519 keys sign no request: any key does, and the right one is put in its place.
    openssl req -new -key root.key.pem -subj "/O=Sealgate Tests/CN=Bob, $1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -force_pubkey "$1.pub" -CA root.pem -CAkey root.key.pem \
        -days $days -extfile "$1.ext" -out "$1.pem"
    rm "$1.csr" "$1.ext" "$1.pub"
}

key root RSA rsa_keygen_bits:2048
openssl req -x509 -new -key root.key.pem -subj '/O=Sealgate Tests/CN=Root of recipients' \
    -days $days -addext 'keyUsage = critical, keyCertSign, cRLSign' -out root.pem
key rsa2048 RSA rsa_keygen_bits:2048
key rsa3072 RSA rsa_keygen_bits:3072
key rsa4096 RSA rsa_keygen_bits:4096
key p256 EC ec_paramgen_curve:P-256
key p384 EC ec_paramgen_curve:P-384
key x25519 X25519
for name in rsa2048 rsa3072 rsa4096; do issue $name keyEncipherment; done
for name in p256 p384 x25519; do issue $name keyAgreement; done
# RFC 4262: SMIMECapabilities in the certificate; aes256-GCM, aes256-CBC, RSAES-OAEP with SHA-256.
key capable RSA rsa_keygen_bits:2048
issue capable keyEncipherment '1.2.840.113549.1.9.15 = DER:30:58:30:0b:06:09:60:86:48:01:65:03:04:01:2e:30:0b:06:09:60:86:48:01:65:03:04:01:2a:30:3c:06:09:2a:86:48:86:f7:0d:01:01:07:30:2f:a0:0f:30:0d:06:09:60:86:48:01:65:03:04:02:01:05:00:a1:1c:30:1a:06:09:2a:86:48:86:f7:0d:01:01:08:30:0d:06:09:60:86:48:01:65:03:04:02:01:05:00'
rm root.key.pem
