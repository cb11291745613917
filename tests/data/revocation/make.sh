#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the authorities of this folder anew, and from them the seeds of tests/fuzz/revocation.cc.
# The keys are not kept.
set -e
cd "$(dirname "$0")"
seeds=$(cd ../../fuzz/seeds/revocation && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

authority='basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n'
person='keyUsage = digitalSignature\nextendedKeyUsage = emailProtection\n'
person="$person"'subjectAltName = email:bob@example.com\n'
person="$person"'crlDistributionPoints = URI:http://crl.example/mid.crl, URI:ldap://ldap.example/cn=Mid?certificateRevocationList;binary\n'
person="$person"'authorityInfoAccess = OCSP;URI:http://ocsp.example/\nfreshestCRL = URI:http://crl.example/delta.crl\n'

# NAME ISSUER EXTENSIONS
make() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key"
    openssl req -new -key "$work/$1.key" -subj "/CN=$1" -out "$work/$1.csr"
    printf "$3" >"$work/$1.ext"
    if [ "$1" = "$2" ]; then by="-signkey $work/$1.key"; else by="-CA $2.pem -CAkey $work/$2.key"; fi
    openssl x509 -req -in "$work/$1.csr" -extfile "$work/$1.ext" -days 36500 $by -out "$1.pem"
}
make root root "$authority"
make mid root "$authority"
make leaf mid "$person"

# ISSUER NAME EXTENSIONS ENTRIES
list() {
    printf "$4" >"$work/index"
    printf '%s\n' "${5:-01}" >"$work/number"
    printf '[ca]\ndefault_ca = own\n[own]\ndatabase = %s/index\ncrlnumber = %s/number\ndefault_md = sha256\ncrl_extensions = extensions\n[extensions]\nauthorityKeyIdentifier = keyid\n%b' \
        "$work" "$work" "$3" >"$work/cnf"
    openssl ca -gencrl -config "$work/cnf" -cert "$1.pem" -keyfile "$work/$1.key" -crldays 36500 \
        -out "$work/$2.pem"
    openssl crl -in "$work/$2.pem" -outform DER -out "$work/$2.der"
}
serial=$(openssl x509 -in leaf.pem -noout -serial | cut -d= -f2)
revoked="R\t21260101000000Z\t260101000000Z,keyCompromise\t$serial\tunknown\t/CN=leaf\n"
list mid good '' ''
list mid bad '' "$revoked"
list mid part 'issuingDistributionPoint = critical, onlysomereasons:superseded\n' "$revoked"
list mid delta '2.5.29.27 = critical, ASN1:INTEGER:1\n' "$revoked" 02
list root root '' ''

tagged() { printf "$1" | cat - "$2" >"$seeds/$3"; }
tagged f "$work/good.der" good
tagged f "$work/bad.der" bad
tagged f "$work/part.der" part
cat "$work/good.der" "$work/delta.der" >"$work/two.der"
tagged f "$work/two.der" delta
cat mid.pem "$work/good.pem" "$work/root.pem" >"$work/several.pem"
tagged f "$work/several.pem" pem

printf "V\t21260101000000Z\t\t$serial\tunknown\t/CN=leaf\n" >"$work/index"
openssl ocsp -issuer mid.pem -cert leaf.pem -no_nonce -reqout "$work/request"
answer() {
    openssl ocsp -index "$work/index" -CA mid.pem -rsigner mid.pem -rkey "$work/mid.key" \
        -reqin "$work/request" -respout "$work/answer" -ndays 36500
    tagged o "$work/answer" "$1"
}
answer ocsp-good
printf "$revoked" >"$work/index"
answer ocsp-revoked
printf '\060\003\012\001\003' >"$work/answer"
tagged o "$work/answer" ocsp-later

openssl x509 -in leaf.pem -outform DER -out "$work/leaf.der"
tagged c "$work/leaf.der" addresses
printf 'uhttp://crl.example:80/x?y' >"$seeds/url"
printf 'DN: cn=Mid\n\tcertificateRevocationList;binary:: %s\n\n' \
    "$(base64 -w0 "$work/good.der")" >"$work/entry"
tagged l "$work/entry" entry
