// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of verification share: signed messages through reader and stage, and SignedData
// put together by hand.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/smime_verify.h"
#include "tests/crypto/signing_fixture.h"

namespace sealgate::test {

// A month after plan_for() signs; the signers of tests/data are valid then, for a hundred years.
inline constexpr std::int64_t verify_time = 1'797'897'600;
inline constexpr std::string_view verify_sender = "alice@example.com";

// Trusts the root of tests/data/signers; verify_sender must be covered.
VerifyContext context_of_signers();

struct VerifyOutcome {
    std::optional<LayerReport> report;
    std::optional<Error> error;  // of the reader, or of the stage through it
    std::string content;         // that went below
    bool content_ended = false;

    // Of the report; `malformed` and the like where there is none.
    Reason reason() const;
    // Of the only signer.
    const SignerReport& signer() const;
    std::string why() const;  // for messages of tests
};

// One loop with one worker for all that is verified, one after the other.
class Verifier {
public:
    VerifyOutcome opaque(std::string_view cms, const VerifyContext& context,
                         std::size_t piece_bytes = 65'536);
    VerifyOutcome detached(std::string_view content, std::string_view cms,
                           const VerifyContext& context, std::string_view micalg = "sha-256");

    Loop loop;
    WorkerPool workers{loop, 1};

private:
    VerifyOutcome read(VerifyStage& stage, class VerifyEnd& end, std::string_view cms,
                       std::size_t piece_bytes);
};

// The tests' only one. It ends with the last test, not after main(): its worker must be gone before
// libcrypto cleans up, or what libcrypto keeps for that thread is lost.
Verifier& verifier();

// What a multipart/signed holds: the first part's octets, and the signature's; and of an opaque
// message the latter.
struct SignedMail {
    std::string content;
    std::string cms;
    std::string micalg;
};
SignedMail take_apart(const std::string& message);

// Certificates that are known, without a key ring.
class FakeKnownKeys final : public KnownKeys {
public:
    bool is_manual(const Certificate& certificate) const override;
    std::vector<CertificatePtr> certificates_of(std::string_view address) const override;

    std::vector<CertificatePtr> manual;
    std::map<std::string, std::vector<CertificatePtr>, std::less<>> by_address;
    mutable int asked = 0;  // certificates_of()
};

// --- SignedData by hand
// ------------------------------------------------------------------------------

// A SignerInfo as our own signer would write it, but for what is changed.
struct SignerInfoCraft {
    IdentityPtr identity;
    std::string content;
    ReadDigest digest = ReadDigest::sha256;  // of the content; the signature is over SHA-256
    Bytes content_type;                      // in the attribute; empty: id-data
    std::vector<Bytes> attributes;           // besides contentType and messageDigest
    bool with_attributes = true;
    enum class Order : std::uint8_t {
        sorted,         // signed and written as DER wants it
        signed_sorted,  // written the other way round
        never_sorted,   // signed and written the other way round
    } order = Order::sorted;
    Bytes digest_algorithm, signature_algorithm;  // AlgorithmIdentifiers; empty: what was used
    Bytes unsigned_attributes;
};
Bytes craft_signer_info(const SignerInfoCraft& craft);

struct SignedDataCraft {
    std::optional<std::string> content;    // nothing: detached
    Bytes content_type;                    // empty: id-data
    std::vector<Bytes> digest_algorithms;  // none: SHA-256 alone
    std::vector<CertificatePtr> certificates;
    std::vector<Bytes> signer_infos;
};
std::string craft_signed_data(const SignedDataCraft& craft);

}  // namespace sealgate::test
