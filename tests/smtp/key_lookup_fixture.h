// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of key look-up share: certificates at will, a resolver that answers from a table,
// and everything a look-up needs.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/options.h"
#include "crypto/make_certificate.h"
#include "crypto/pem.h"
#include "smtp/key_directories.h"

namespace sealgate {

inline constexpr std::int64_t a_day = 86'400;

struct CertificateWish {
    std::vector<std::string> emails = {};
    std::vector<std::string> domains = {};
    std::int64_t days_old = 10;
    std::int64_t days_left = 10;
    NewKey key = NewKey::p256;
    std::string common_name = "Someone";
};

inline CertificatePtr make(const CertificateWish& wish) {
    static std::map<NewKey, SecureBytes> keys;  // made once
    auto known = keys.find(wish.key);
    if (known == keys.end()) known = keys.emplace(wish.key, *make_key(wish.key)).first;
    SubjectText subject;
    subject.common_name = wish.common_name;
    CertificatePlan plan;
    plan.subject = *subject_to_der(subject);
    plan.emails = wish.emails;
    plan.domains = wish.domains;
    plan.not_before = std::time(nullptr) - wish.days_old * a_day;
    plan.not_after = std::time(nullptr) + wish.days_left * a_day;
    return *Certificate::parse(*make_self_signed(plan, known->second.bytes()));
}

inline Bytes der_of(const CertificatePtr& certificate) {
    return {certificate->der().begin(), certificate->der().end()};
}

// A folder that goes with its object.
struct Files {
    Files() {
        std::string pattern = std::filesystem::temp_directory_path() / "sealgate-keys-XXXXXX";
        path = mkdtemp(pattern.data());
    }
    ~Files() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::string write(const std::string& name, std::string_view text) const {
        std::ofstream(path + "/" + name, std::ios::binary) << text;
        return path + "/" + name;
    }
    std::string path;
};

inline std::string pem_of(const std::vector<CertificatePtr>& certificates) {
    std::string text;
    for (const auto& certificate : certificates) {
        text += as_text(write_pem("CERTIFICATE", certificate->der()).bytes());
    }
    return text;
}

// A bag of certificates as userSMIMECertificate holds it, by openssl.
inline std::string bag_of(const std::vector<CertificatePtr>& certificates) {
    const Files files;
    const std::string in = files.write("in.pem", pem_of(certificates));
    const std::string out = files.path + "/out.p7";
    const std::string command =
        "openssl crl2pkcs7 -nocrl -outform DER -certfile " + in + " -out " + out;
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream file(out, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

inline std::string text_of(const CertificatePtr& certificate) {
    return std::string(as_text(certificate->der()));
}

// Believes certificates whose name is "Trusted".
inline TrustVerdict believe_names(const CertificatePtr& leaf, const std::vector<CertificatePtr>&,
                                  std::int64_t) {
    if (leaf->common_name() == "Trusted") return {Reason::ok, ""};
    return {Reason::untrusted, "a stranger"};
}

// Answers from tables; what is not in them does not exist.
class TableResolver final : public Resolver {
public:
    explicit TableResolver(Loop& loop) : loop_(loop) {}

    DnsTicket lookup_mx(const std::string&, std::function<void(MxAnswer)>) override { return {}; }
    DnsTicket lookup_addresses(const std::string& host,
                               std::function<void(AddressAnswer)> done) override {
        return answer(hosts, host, std::move(done));
    }
    DnsTicket confirm_host(const IpAddress&, std::function<void(std::string)>) override {
        return {};
    }
    DnsTicket lookup_smimea(const std::string& name,
                            std::function<void(SmimeaAnswer)> done) override {
        return answer(smimea, name, std::move(done));
    }

    std::map<std::string, AddressAnswer> hosts;
    std::map<std::string, SmimeaAnswer> smimea;
    std::vector<std::string> asked;

private:
    template <typename Answer>
    DnsTicket answer(const std::map<std::string, Answer>& table, const std::string& name,
                     std::function<void(Answer)> done) {
        asked.push_back(name);
        Answer answer;
        answer.outcome = DnsOutcome::no_such_domain;
        if (const auto found = table.find(name); found != table.end()) answer = found->second;
        auto wanted = std::make_shared<bool>(true);
        loop_.post([wanted, answer = std::move(answer), done = std::move(done)] {
            if (*wanted) done(answer);
        });
        return DnsTicket(wanted);
    }
    Loop& loop_;
};

class KeyLookupTest : public testing::Test {
protected:
    // "[directory:NAME] url, trust = no" and what else is said, in force.
    void configure(const std::string& directories, TrustJudge trust = believe_names) {
        const LoadedConfig loaded =
            parse_config("[listener:x]\naddress = 127.0.0.1:0\n" + directories, "f");
        Complaints complaints = loaded.complaints;
        const auto book = loaded.draft ? DirectoryBook::load(*loaded.draft, complaints) : nullptr;
        for (const Complaint& complaint : complaints) ADD_FAILURE() << complaint.to_text();
        if (book) directories_->put_in_force(book, std::move(trust));
    }
    // At once or later.
    KeyAnswer ask(const std::string& source, const std::string& address) {
        std::optional<KeyAnswer> answer;
        KeyDirectories::Ticket ticket;
        bool inside = true;
        auto known = directories_->ask(
            source, address,
            [&](KeyAnswer got) {
                EXPECT_FALSE(inside) << "called back from inside the call";
                answer = std::move(got);
            },
            ticket);
        inside = false;
        at_once_ = known.has_value();
        if (known) return *known;
        EXPECT_TRUE(loop_.run_until([&] { return answer.has_value(); }, 20'000));
        return answer.value_or(KeyAnswer{});
    }
    // "found", "none", "temporary"
    static std::string said(const KeyAnswer& answer) {
        switch (answer.outcome) {
        case KeyAnswer::Outcome::found: return "found";
        case KeyAnswer::Outcome::none: return "none";
        case KeyAnswer::Outcome::temporary: return "temporary";
        }
        return "";
    }
    static std::string text(const KeyAnswer& answer) { return said(answer) + ": " + answer.why; }

    Loop loop_;
    WorkerPool workers_{loop_, 1};
    TableResolver resolver_{loop_};
    Fetcher fetcher_{loop_};
    std::unique_ptr<KeyDirectories> directories_ =
        std::make_unique<KeyDirectories>(loop_, workers_, resolver_, fetcher_);
    bool at_once_ = false;
};

}  // namespace sealgate
