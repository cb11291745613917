// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/smime_input.h"

#include <algorithm>
#include <ctime>
#include <thread>

#include "core/text.h"
#include "crypto/certificate_bundle.h"
#include "crypto/smime_encrypt.h"
#include "crypto/smime_sign.h"
#include "crypto/wolf.h"
#include "smtp/header.h"
#include "tools/sealload/mail_template.h"

namespace sealgate {
namespace {

constexpr std::uint64_t patience_ms = 60'000;

// The end of a chain, and the one above it.
class Collector final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        text_ += chunk.text();
        return Flow::open;
    }
    Result<Flow> finish() override {
        finished_ = true;
        return Flow::open;
    }
    bool finished() const { return finished_; }
    std::string take() { return std::move(text_); }

private:
    std::string text_;
    bool finished_ = false;
};

class Feeder final : public Source {
public:
    void on_drain() override { full_ = false; }
    void on_failed(Error error) override { failed_ = error; }

    Result<void> feed(Loop& loop, Sink& chain, std::string_view content, const Collector& end) {
        constexpr std::size_t piece_bytes = 16 * 1024;
        while (!content.empty()) {
            const Chunk piece = Chunk::copy_of(content.substr(0, piece_bytes));
            content.remove_prefix(piece.size());
            full_ = TRY(chain.write(piece))
            == Flow::full;
            TRY(wait(loop, [this] { return !full_; }));
        }
        TRY(chain.finish());
        return wait(loop, [&end] { return end.finished(); });
    }

private:
    template <typename Done>
    Result<void> wait(Loop& loop, Done done) {
        if (done()) return {};
        const auto over = [&] { return done() || failed_; };
        if (!loop.run_until(over, patience_ms)) return temporary("it took too long");
        if (failed_) return tl::unexpected(*failed_);
        return {};
    }

    bool full_ = false;
    std::optional<Error> failed_;
};

// RFC 8551 §3.1: the Content-* fields go inside, the others stay outside. MIME-Version is written
// anew with the outer Content-Type.
struct SplitMail {
    std::string outside, inside;
};

SplitMail split(std::string_view text) {
    const Header header = Header::parse(Chunk::copy_of(text));
    SplitMail mail;
    for (const HeaderField& field : header.fields()) {
        const std::string_view name = header.name(field);
        const std::string_view raw = text.substr(field.begin, field.end - field.begin);
        if (name.empty() || equal_ignoring_case(name, "MIME-Version") ||
            equal_ignoring_case(name, "X-Sealload-Digest"))
            continue;
        (equal_ignoring_case(name.substr(0, 8), "Content-") ? mail.inside : mail.outside) += raw;
    }
    const std::string_view rest = text.substr(header.fields_end());
    if (!rest.starts_with("\r\n")) mail.inside += "\r\n";
    mail.inside += rest;
    return mail;
}

SignPlan sign_plan(const IdentityPtr& identity, SmimeForm form) {
    SignPlan plan;
    plan.identity = identity;
    plan.sign_mode = form == SmimeForm::opaque ? SendingProfileOptions::SignMode::opaque
                                               : SendingProfileOptions::SignMode::detached;
    plan.signing_time = std::time(nullptr);
    return plan;
}

EncryptPlan encrypt_plan(const std::vector<CertificatePtr>& recipients) {
    EncryptPlan plan;
    for (const CertificatePtr& certificate : recipients) plan.recipients.push_back({certificate});
    return plan;
}

bool signs(SmimeForm form) {
    return form == SmimeForm::sign || form == SmimeForm::opaque || form == SmimeForm::sign_encrypt;
}

bool encrypts(SmimeForm form) {
    return form == SmimeForm::encrypt || form == SmimeForm::sign_encrypt;
}

Result<SecureBytes> file_of(const std::string& path, std::string* why) {
    if (path.empty()) return SecureBytes();
    auto file = read_small_file(path);
    if (file) return *std::move(file);
    *why = file.error().what;
    return temporary("a file cannot be read");
}

}  // namespace

std::optional<SmimeForm> smime_form(std::string_view word) {
    if (word == "plain") return SmimeForm::plain;
    if (word == "sign") return SmimeForm::sign;
    if (word == "opaque") return SmimeForm::opaque;
    if (word == "encrypt") return SmimeForm::encrypt;
    if (word == "sign-encrypt") return SmimeForm::sign_encrypt;
    return std::nullopt;
}

Result<SmimeKeys> load_smime_keys(const std::string& certificate, const std::string& key,
                                  const std::vector<std::string>& recipient_certificates,
                                  std::string* why) {
    TRY(init_wolfssl());
    SmimeKeys keys;
    if (!certificate.empty()) {
        const SecureBytes file = TRY(file_of(certificate, why));
        const SecureBytes key_file = TRY(file_of(key, why));
        auto bundle = read_bundle(file.bytes(), key_file.bytes(), Passphrase());
        if (!bundle) {
            *why = bundle.error().what;
            return malformed("a certificate cannot be used");
        }
        *why = certificate;
        if (bundle->pkcs8.empty()) return malformed("there is no private key in it");
        auto identity = std::make_shared<Identity>();
        identity->name = certificate;
        identity->leaf = std::move(bundle->leaf);
        identity->chain = std::move(bundle->chain);
        identity->key = TRY(make_private_key(std::move(bundle->pkcs8)));
        keys.identity = std::move(identity);
    }
    for (const std::string& path : recipient_certificates) {
        const SecureBytes file = TRY(file_of(path, why));
        auto found = read_certificates(file.bytes());
        *why = path;
        if (!found) return malformed("there is no certificate in it");
        if (found->front()->may_encrypt() != Reason::ok)
            return unsupported("nobody may encrypt to it");
        keys.recipients.push_back(found->front());  // behind it come its issuers
    }
    return keys;
}

SmimeMaker::SmimeMaker(Loop& loop, SmimeKeys keys)
    : loop_(loop),
      keys_(std::move(keys)),
      workers_(loop, std::max(1u, std::thread::hardware_concurrency())) {}

bool SmimeMaker::can(SmimeForm form) const {
    return (!signs(form) || keys_.identity) && (!encrypts(form) || !keys_.recipients.empty());
}

Result<std::string> SmimeMaker::make(SmimeForm form, std::string_view mail) {
    CHECK(can(form));
    const std::string text = with_crlf(mail);
    if (form == SmimeForm::plain) return text;
    const SplitMail parts = split(text);
    Collector collector;
    Feeder feeder;
    std::unique_ptr<EncryptStage> encrypt;
    std::unique_ptr<Sink> sign;
    Sink* chain = &collector;
    if (encrypts(form)) {
        encrypt = make_encrypt_stage(encrypt_plan(keys_.recipients), workers_, *chain, feeder);
        chain = encrypt.get();
    }
    if (signs(form)) {
        sign = make_sign_stage(sign_plan(keys_.identity, form), workers_, *chain, feeder);
        chain = sign.get();
    }
    TRY(feeder.feed(loop_, *chain, parts.inside, collector));
    return parts.outside + digest_field_of(text) + collector.take();
}

}  // namespace sealgate
