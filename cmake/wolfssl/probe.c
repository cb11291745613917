/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Works the wolfSSL just built the way Sealgate does: hashes a part of a message, signs with P-256.
 * Prints how often a second both were done; some hundreds instead of thousands mean that the
 * vzeroupper fix is not in effect. Exit code 1 when a signature does not verify. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/version.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static byte part[64 * 1024];

int main(void) {
    WC_RNG rng;
    ecc_key key;
    byte digest[WC_SHA256_DIGEST_SIZE];
    byte signature[ECC_MAX_SIG_SIZE];
    word32 signature_bytes = 0;
    int rounds = 0;
    int valid = 0;

    if (wc_InitRng(&rng) != 0 || wc_ecc_init(&key) != 0) return 1;
    if (wc_ecc_make_key_ex(&rng, 32, &key, ECC_SECP256R1) != 0) return 1;
    memset(part, 'x', sizeof part);

    const double begin = now();
    while (now() - begin < 0.5) {
        signature_bytes = sizeof signature;
        if (wc_Sha256Hash(part, sizeof part, digest) != 0) return 1;
        if (wc_ecc_sign_hash(digest, sizeof digest, signature, &signature_bytes, &rng, &key) != 0)
            return 1;
        ++rounds;
    }
    const double seconds = now() - begin;

    if (wc_ecc_verify_hash(signature, signature_bytes, digest, sizeof digest, &valid, &key) != 0)
        return 1;
    printf("%s, 64 KiB SHA-256 and P-256 signature %.0f/s\n", LIBWOLFSSL_VERSION_STRING,
           rounds / seconds);
    wc_ecc_free(&key);
    wc_FreeRng(&rng);
    return valid ? 0 : 1;
}
