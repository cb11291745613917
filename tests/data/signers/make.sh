#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the signers of the tests: one root, one intermediate, and a leaf for each kind of key. The
# keys are in the tree, so they protect nothing. Usage: make.sh, in this folder; overwrites *.pem.
set -eu
days=36500

key() { # NAME ALGORITHM [OPTION]
    openssl genpkey -algorithm "$2" ${3:+-pkeyopt "$3"} -out "$1.key.pem"
}
issue() { # NAME ISSUER SUBJECT EXTENSIONS
    openssl req -new -key "$1.key.pem" -subj "$3" -out "$1.csr"
    printf '%s\n' "$4" >"$1.ext"
    if [ "$1" = "$2" ]; then
        openssl x509 -req -in "$1.csr" -signkey "$1.key.pem" -days $days -extfile "$1.ext" -out "$1.pem"
    else
        openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key.pem" -days $days -extfile "$1.ext" \
            -out "$1.pem"
    fi
    rm "$1.csr" "$1.ext"
}

authority='basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash'
signer='basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection
subjectAltName = email:alice@example.com, DNS:example.net
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid'

key root RSA rsa_keygen_bits:2048
issue root root '/O=Sealgate Tests/CN=Root' "$authority"
key intermediate RSA rsa_keygen_bits:2048
issue intermediate root '/O=Sealgate Tests/CN=Intermediate' "$authority"

key rsa2048 RSA rsa_keygen_bits:2048
key rsa3072 RSA rsa_keygen_bits:3072
key rsa4096 RSA rsa_keygen_bits:4096
key p256 EC ec_paramgen_curve:P-256
key p384 EC ec_paramgen_curve:P-384
key ed25519 ED25519
for name in rsa2048 rsa3072 rsa4096 p256 p384 ed25519; do
    issue $name intermediate "/O=Sealgate Tests/CN=Alice, $name" "$signer"
done
rm root.key.pem intermediate.key.pem
