// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of asking about revocation share: authorities whose certificates name addresses of
// a server that this process began, and which counts.
#pragma once

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/fetch.h"
#include "core/loop.h"
#include "core/workers.h"
#include "crypto/revocation.h"
#include "crypto/trust_crl_files.h"
#include "tests/crypto/revocation_fixture.h"
#include "tests/support/script_server.h"

namespace sealgate::test {

class RevocationAsking : public testing::Test {
protected:
    using Mode = TrustOptions::Revocation;

    struct Told {
        bool is_told = false;
        Reason reason = Reason::limit;
        std::string why;
    };

    static void SetUpTestSuite() {
        folder_ = new TemporaryFolder;
        server_ = ScriptServer::start("support/revocation_peer.py", {folder_->path("")}).release();
        ASSERT_TRUE(server_);
        authority_ = new Authority({{"root", {"root", "Root", authority_extensions}},
                                    {"mid", {"root", "Mid", authority_extensions}},
                                    {"leaf", {"mid", "Bob", person_extensions}}});
    }
    static void TearDownTestSuite() {
        delete authority_;
        delete server_;
        delete folder_;
    }
    void SetUp() override { std::filesystem::remove(folder_->path("requests")); }

    static Authority& authority() { return *authority_; }
    static CertificatePtr certificate(const std::string& name) {
        return authority().certificate(name);
    }
    static std::string url(const std::string& path) {
        return "http://127.0.0.1:" + std::to_string(server_->port()) + "/" + path;
    }
    static std::string lists_at(const std::vector<std::string>& urls) {
        std::string line = "crlDistributionPoints =";
        for (const std::string& each : urls) line += (each == urls[0] ? " URI:" : ", URI:") + each;
        return line + "\n";
    }
    static std::string responder_at(const std::string& url) {
        return "authorityInfoAccess = OCSP;URI:" + url + "\n";
    }
    // One of Mid's that says so; made anew for each test, so that no answer is known of it.
    static CertificatePtr person_with(const std::string& extensions) {
        const std::string name = "person-" + std::to_string(++people_);
        authority().add(name, {"mid", "Bob", person_extensions + extensions});
        return certificate(name);
    }
    // Under its own authority, too, whose certificate has no address.
    std::vector<CertificatePtr> path_of(const CertificatePtr& leaf) {
        return {leaf, certificate("mid"), certificate("root")};
    }
    // Mid trusted alone: nothing to ask but about the leaf.
    std::vector<CertificatePtr> short_path_of(const CertificatePtr& leaf) {
        return {leaf, certificate("mid")};
    }

    static void serve(const std::string& name, ByteSpan bytes) {
        folder_->write(name, as_text(bytes));
    }
    static std::size_t requests(const std::string& path) {
        if (!std::filesystem::exists(folder_->path("requests"))) return 0;
        std::istringstream lines(folder_->read("requests"));
        std::size_t count = 0;
        for (std::string line; std::getline(lines, line);)
            count += line.find(" /" + path) != std::string::npos;
        return count;
    }

    static TrustOptions options(Mode mode, bool crl_fetch, bool ocsp) {
        TrustOptions made;
        made.revocation = mode;
        made.crl_fetch = crl_fetch;
        made.ocsp = ocsp;
        return made;
    }
    std::shared_ptr<Revocation> make(TrustOptions options, const std::vector<CrlPlan>& lists = {}) {
        for (const CrlPlan& plan : lists) {
            const std::string name = "list-" + std::to_string(options.crl_files.size());
            options.crl_files.push_back(folder_->write(name, as_text(make_crl(authority(), plan))));
        }
        Complaints complaints, warnings;
        auto made = Revocation::make(loop_, &fetcher_, workers_, options, "[trust:smime]",
                                     complaints, warnings);
        EXPECT_TRUE(complaints.empty()) << complaints.front().to_text();
        return made;
    }
    // Asks for lists, and wants an answer.
    std::shared_ptr<Revocation> make_strict() { return make(options(Mode::require, true, false)); }

    Revocation::Ticket begin(Revocation& revocation, std::vector<CertificatePtr> path, Told& told,
                             std::vector<Bytes> embedded = {}, std::int64_t days = 0) {
        auto ticket = revocation.check(std::move(path), std::move(embedded),
                                       std::time(nullptr) + days * day_seconds,
                                       [&told](Reason reason, std::string why) {
                                           EXPECT_FALSE(told.is_told);
                                           told = {true, reason, std::move(why)};
                                       });
        EXPECT_FALSE(told.is_told) << "called from inside";
        return ticket;
    }
    Told ask(Revocation& revocation, std::vector<CertificatePtr> path,
             std::vector<Bytes> embedded = {}, std::int64_t days = 0) {
        Told told;
        const auto ticket = begin(revocation, std::move(path), told, std::move(embedded), days);
        EXPECT_TRUE(loop_.run_until([&] { return told.is_told; }, 30'000));
        EXPECT_EQ(told.why.empty(), told.reason == Reason::ok) << told.why;
        return told;
    }
    void expect(const char* name, const Told& told, Reason want, const char* why = "") {
        EXPECT_STREQ(to_word(told.reason), to_word(want)) << name << ": " << told.why;
        EXPECT_NE(told.why.find(why), std::string::npos) << name << ": " << told.why;
    }

    Loop loop_;
    WorkerPool workers_{loop_, 2};
    Fetcher fetcher_{loop_};

private:
    inline static TemporaryFolder* folder_ = nullptr;
    inline static ScriptServer* server_ = nullptr;
    inline static Authority* authority_ = nullptr;
    inline static int people_ = 0;
};

}  // namespace sealgate::test
