// SPDX-License-Identifier: GPL-3.0-or-later
// The operator's authorities, from files.
#include "core/fetch.h"
#include "core/result.h"
#include "crypto/certificate_bundle.h"
#include "crypto/pem.h"
#include "crypto/trust_path_state.h"

namespace sealgate {
namespace {

class Reader {
public:
    Reader(TrustAnchors::State& state, const std::string& section, Complaints& complaints,
           Complaints& warnings)
        : state_(state), section_(section), complaints_(complaints), warnings_(warnings) {}

    void read_file(const std::string& path, const char* key, const ConfigPlace& place);

private:
    enum class Added : std::uint8_t { yes, no_authority, unreadable, unsupported };
    Added add(ByteSpan der);
    void complain(const char* key, const ConfigPlace& place, const std::string& what) {
        complaints_.push_back({place.file, place.line, 0, section_ + " " + key + ": " + what});
    }
    void warn(const char* key, const ConfigPlace& place, const std::string& what) {
        warnings_.push_back({place.file, place.line, 0, section_ + " " + key + ": " + what});
    }

    TrustAnchors::State& state_;
    const std::string& section_;
    Complaints& complaints_;
    Complaints& warnings_;
};

Reader::Added Reader::add(ByteSpan der) {
    X509Ptr certificate = decode_x509(der);
    if (!certificate) return Added::unreadable;
    // Roots of before 1999 say nothing of themselves (X.509 version 1) and are taken, too.
    if (X509_check_ca(certificate.get()) == 0) return Added::no_authority;
    const auto value = Certificate::parse(der);
    if (!value) return Added::unsupported;
    CHECK(X509_STORE_add_cert(state_.store.get(), certificate.get()) == 1);
    const X509* address = certificate.get();
    state_.anchors.try_emplace(address,
                               TrustAnchors::State::Anchor{std::move(certificate), *value});
    return Added::yes;
}

void Reader::read_file(const std::string& path, const char* key, const ConfigPlace& place) {
    const auto file = read_small_file(path);
    if (!file) return complain(key, place, file.error().what);
    const auto blocks = read_pem(file->bytes());
    if (!blocks) return complain(key, place, path + ": " + blocks.error().what);
    std::size_t certificates = 0, no_authorities = 0, unsupported = 0;
    for (const PemBlock& block : *blocks) {
        if (!block.is_certificate()) continue;
        ++certificates;
        const Added added = add(block.der.bytes());
        if (added == Added::yes) ++state_.count;
        if (added == Added::no_authority) ++no_authorities;
        if (added == Added::unsupported) ++unsupported;
        if (added == Added::unreadable)
            complain(key, place,
                     path + ": certificate " + std::to_string(certificates) + " cannot be read");
    }
    if (certificates == 0) complain(key, place, path + " holds no certificate in PEM");
    const auto some = [&](std::size_t count) {
        return path + ": " + std::to_string(count) + " of " + std::to_string(certificates);
    };
    if (no_authorities > 0)
        warn(key, place,
             some(no_authorities) + " certificates are no authorities and are left out");
    if (unsupported > 0)
        warn(key, place,
             some(unsupported) + " certificates are of a kind not supported and are left out");
}

}  // namespace

TrustAnchors::TrustAnchors(std::unique_ptr<State> state) : state_(std::move(state)) {}
TrustAnchors::~TrustAnchors() = default;
std::size_t TrustAnchors::count() const { return state_->count; }

std::shared_ptr<const TrustAnchors> TrustAnchors::load(const TrustOptions& options,
                                                       const std::string& section,
                                                       Complaints& complaints,
                                                       Complaints& warnings) {
    auto state = std::make_unique<State>();
    state->store.reset(X509_STORE_new());
    CHECK(state->store != nullptr);
    X509_STORE_set_check_issued(state->store.get(), trust_is_issued_by);
    Reader reader(*state, section, complaints, warnings);
    for (const std::string& path : options.ca_files)
        reader.read_file(path, "ca-files", options.ca_files_place);
    if (options.ca_system) {
        const std::string path = machine_authorities_file();
        if (path.empty()) {
            complaints.push_back({options.ca_system_place.file, options.ca_system_place.line, 0,
                                  section + " ca-system: this machine's libraries name no file of "
                                            "authorities"});
        } else {
            reader.read_file(path, "ca-system", options.ca_system_place);
        }
    }
    return std::shared_ptr<const TrustAnchors>(new TrustAnchors(std::move(state)));
}

}  // namespace sealgate
