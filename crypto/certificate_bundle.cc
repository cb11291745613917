// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/certificate_bundle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "crypto/pem.h"
#include "crypto/pkcs12.h"

namespace sealgate {
namespace {

constexpr std::size_t file_bytes_max = 4 << 20;
constexpr std::size_t chain_count_max = 10;  // four is long in the wild; a loop ends here

struct Pieces {
    std::vector<CertificatePtr> certificates;
    std::vector<Pkcs12Key> keys;
};

tl::unexpected<Refusal> refused_for(const Error& error) {
    return refused(error.what, error.kind == ErrorKind::untrusted);
}

Answer<void> add_certificate(std::vector<CertificatePtr>& certificates, ByteSpan der) {
    auto parsed = Certificate::parse(der);
    if (!parsed) return refused_for(parsed.error());
    certificates.push_back(*std::move(parsed));
    return {};
}

Answer<void> add_pkcs7(std::vector<CertificatePtr>& certificates, ByteSpan der) {
    auto contents = read_pkcs7_certificates(der);
    if (!contents) return refused_for(contents.error());
    for (const Bytes& certificate : *contents) {
        if (auto added = add_certificate(certificates, certificate); !added) return added;
    }
    return {};
}

Answer<void> add_key(Pieces& pieces, ByteSpan text_or_der, const Passphrase& passphrase) {
    auto key = read_private_key(text_or_der, passphrase);
    if (!key) return refused_for(key.error());
    pieces.keys.push_back({"", *std::move(key)});
    return {};
}

Answer<Pieces> read_pkcs12_pieces(ByteSpan file, const Passphrase& passphrase) {
    auto contents = read_pkcs12(file, passphrase);
    if (!contents) return refused_for(contents.error());
    Pieces pieces;
    pieces.keys = std::move(contents->keys);
    for (const Bytes& der : contents->certificates) {
        if (auto added = add_certificate(pieces.certificates, der); !added) {
            return tl::unexpected(added.error());
        }
    }
    return pieces;
}

Answer<Pieces> read_pem_pieces(const std::vector<PemBlock>& blocks, const Passphrase& passphrase) {
    Pieces pieces;
    for (const PemBlock& block : blocks) {
        Answer<void> added;
        if (block.is_certificate()) {
            added = add_certificate(pieces.certificates, block.der.bytes());
        } else if (block.is_private_key()) {
            added = add_key(pieces, block.text.bytes(), passphrase);
        } else if (block.label == "PKCS12") {  // GnuPG's armour
            return read_pkcs12_pieces(block.der.bytes(), passphrase);
        }
        if (!added) return tl::unexpected(added.error());
    }
    return pieces;
}

Answer<Pieces> read_pieces(ByteSpan file, const Passphrase& passphrase) {
    if (file.empty()) return refused("the file is empty");
    if (looks_like_pkcs12(file)) return read_pkcs12_pieces(file, passphrase);
    auto blocks = read_pem(file);
    if (!blocks) return refused_for(blocks.error());
    if (!blocks->empty()) return read_pem_pieces(*blocks, passphrase);
    Pieces pieces;
    if (auto certificate = Certificate::parse(file)) {
        pieces.certificates.push_back(*std::move(certificate));
        return pieces;
    }
    if (auto key = add_key(pieces, file, passphrase); !key) {
        if (key.error().passphrase) return tl::unexpected(key.error());
        return refused("neither PEM, nor PKCS#12, nor a certificate or key in DER");
    }
    return pieces;
}

// At least one certificate.
Answer<Pieces> read_pieces_with_key(ByteSpan file, ByteSpan key_file,
                                    const Passphrase& passphrase) {
    auto pieces = read_pieces(file, passphrase);
    if (!pieces) return pieces;
    if (!key_file.empty()) {
        auto key = read_pieces(key_file, passphrase);
        if (!key) {
            return refused("the key file: " + key.error().what, key.error().passphrase);
        }
        if (key->keys.empty()) return refused("there is no private key in the key file");
        pieces->keys = std::move(key->keys);
    }
    if (pieces->certificates.empty()) return refused("there is no certificate in the file");
    return pieces;
}

// A key and the certificate that it matches.
struct Pair {
    const Pkcs12Key* key = nullptr;
    CertificatePtr certificate;
};

std::vector<Pair> pair_up(const Pieces& pieces) {
    std::vector<Pair> pairs;
    for (const Pkcs12Key& key : pieces.keys) {
        const auto match = std::find_if(
            pieces.certificates.begin(), pieces.certificates.end(), [&](const auto& candidate) {
                return key_matches(key.pkcs8.bytes(), candidate->public_key_der());
            });
        if (match != pieces.certificates.end()) pairs.push_back({&key, *match});
    }
    return pairs;
}

std::string names_of(const std::vector<Pair>& pairs) {
    std::string names;
    for (const Pair& pair : pairs) {
        if (!names.empty()) names += ", ";
        const std::string& friendly = pair.key->friendly_name;
        names += friendly.empty() ? pair.certificate->subject() : '"' + friendly + '"';
        names += " serial " + pair.certificate->serial();
        if (pair.certificate->may_sign() == Reason::ok) names += " (may sign)";
    }
    return names;
}

Answer<Pair> choose_pair(const Pieces& pieces, std::string_view serial) {
    const std::vector<Pair> pairs = pair_up(pieces);
    if (pairs.empty()) {
        return refused(pieces.keys.size() == 1 ? "the private key does not match the certificate"
                                               : "none of the private keys matches a certificate");
    }
    std::vector<Pair> chosen;
    for (const Pair& pair : pairs) {
        const bool is_chosen = serial.empty()
                                   ? pairs.size() == 1 || pair.certificate->may_sign() == Reason::ok
                                   : pair.certificate->serial() == serial;
        if (is_chosen) chosen.push_back(pair);
    }
    if (chosen.size() == 1) return chosen.front();
    if (!serial.empty()) {
        return refused(
            "no private key in the file has a certificate with that serial number; "
            "there are: " +
            names_of(pairs));
    }
    return refused("there is more than one private key in the file: " + names_of(pairs));
}

CertificatePtr find_issuer(const Certificate& certificate,
                           const std::vector<CertificatePtr>& pool) {
    const auto issuer = std::find_if(pool.begin(), pool.end(), [&](const CertificatePtr& other) {
        return std::ranges::equal(other->subject_der(), certificate.issuer_der());
    });
    return issuer == pool.end() ? nullptr : *issuer;
}

bool is_same(const CertificatePtr& a, const CertificatePtr& b) {
    return std::ranges::equal(a->der(), b->der());
}

bool contains(const std::vector<CertificatePtr>& list, const CertificatePtr& certificate) {
    return std::any_of(list.begin(), list.end(),
                       [&](const CertificatePtr& other) { return is_same(other, certificate); });
}

}  // namespace

Answer<std::vector<CertificatePtr>> read_certificates(ByteSpan file) {
    auto blocks = read_pem(file);
    if (!blocks) return refused_for(blocks.error());
    std::vector<CertificatePtr> certificates;
    Answer<void> added;
    if (blocks->empty()) {
        added = add_certificate(certificates, file);
        if (!added && add_pkcs7(certificates, file)) added = {};
    }
    for (const PemBlock& block : *blocks) {
        if (block.is_certificate()) added = add_certificate(certificates, block.der.bytes());
        if (block.label == "PKCS7") added = add_pkcs7(certificates, block.der.bytes());
        if (!added) break;
    }
    if (!added) return tl::unexpected(added.error());
    if (certificates.empty()) return refused("there is no certificate in the file");
    return certificates;
}

Answer<CertificateBundle> read_bundle(ByteSpan file, ByteSpan key_file,
                                      const Passphrase& passphrase, std::string_view serial) {
    auto pieces = read_pieces_with_key(file, key_file, passphrase);
    if (!pieces) return tl::unexpected(pieces.error());
    CertificateBundle bundle;
    bundle.leaf = pieces->certificates.front();
    if (!pieces->keys.empty()) {
        auto pair = choose_pair(*pieces, serial);
        if (!pair) return tl::unexpected(pair.error());
        bundle.leaf = pair->certificate;
        bundle.pkcs8 = SecureBytes::copy_of(pair->key->pkcs8.bytes());
        bundle.other_keys_count = pieces->keys.size() - 1;
    }
    build_chain(bundle, pieces->certificates);
    return bundle;
}

Answer<std::vector<CertificateBundle>> read_bundles(ByteSpan file, ByteSpan key_file,
                                                    const Passphrase& passphrase) {
    auto pieces = read_pieces_with_key(file, key_file, passphrase);
    if (!pieces) return tl::unexpected(pieces.error());
    if (pieces->keys.empty()) return refused("there is no private key in the file");
    std::vector<CertificateBundle> bundles;
    for (const Pair& pair : pair_up(*pieces)) {
        CertificateBundle bundle;
        bundle.leaf = pair.certificate;
        bundle.pkcs8 = SecureBytes::copy_of(pair.key->pkcs8.bytes());
        bundle.other_keys_count = pieces->keys.size() - 1;
        build_chain(bundle, pieces->certificates);
        bundles.push_back(std::move(bundle));
    }
    if (bundles.empty()) return refused("none of the private keys matches a certificate");
    return bundles;
}

void build_chain(CertificateBundle& bundle, const std::vector<CertificatePtr>& pool) {
    bundle.chain.clear();
    bundle.unused.clear();
    std::vector<CertificatePtr> sent{bundle.leaf};
    for (const Certificate* last = bundle.leaf.get();
         !last->self_issued() && bundle.chain.size() < chain_count_max;) {
        const CertificatePtr issuer = find_issuer(*last, pool);
        if (!issuer || contains(sent, issuer)) break;
        bundle.chain.push_back(issuer);
        sent.push_back(issuer);
        last = issuer.get();
    }
    for (const CertificatePtr& certificate : pool) {
        if (!contains(sent, certificate)) bundle.unused.push_back(certificate);
    }
    bundle.was_ordered =
        pool.size() == sent.size() && std::equal(pool.begin(), pool.end(), sent.begin(), is_same);
}

Answer<SecureBytes> read_small_file(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return refused(path + ": " + std::strerror(errno));
    struct stat status {};
    SecureBytes bytes(64 * 1024);
    std::size_t count = 0;
    int error = fstat(file, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
    while (error == 0) {
        if (count == bytes.size()) {
            if (count >= file_bytes_max) {
                close(file);
                return refused(path + ": larger than 4 MB");
            }
            SecureBytes larger(2 * count);
            std::memcpy(larger.data(), bytes.data(), count);
            bytes = std::move(larger);
        }
        const ssize_t got = read(file, bytes.data() + count, bytes.size() - count);
        if (got == 0) break;
        if (got > 0) count += static_cast<std::size_t>(got);
        if (got < 0 && errno != EINTR) error = errno;
    }
    close(file);
    if (error != 0) return refused(path + ": " + std::strerror(error));
    return SecureBytes::copy_of(bytes.bytes().first(count));
}

Answer<SecureBytes> read_passphrase_file(const std::string& path) {
    auto file = read_small_file(path);
    if (!file) return file;
    const std::string_view text = as_text(file->bytes());
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    return SecureBytes::copy_of(as_bytes(line));
}

}  // namespace sealgate
