// SPDX-License-Identifier: GPL-3.0-or-later
// S/MIME mail on its way in: what the gateway itself sealed is given back to it, whole, damaged, or
// for somebody else.
#include "smtp/incoming.h"

#include <algorithm>

#include "crypto/make_certificate.h"
#include "crypto/pem.h"
#include "smtp/sealer.h"
#include "tests/smtp/intake_fixture.h"

namespace sealgate {
namespace {

// A profile for each mode, chosen by the subject; policies of the way in, by name.
std::string sections() {
    std::string text =
        "[listener:l]\naddress = 127.0.0.1:2525\ndefault-policy = RELAYED\n"
        "[mail-flow-policy:KEEP]\naction = accept\nsmime-verify-decrypt = yes\n"
        "[mail-flow-policy:REMOVE]\naction = accept\nsmime-verify-decrypt = yes\n"
        "smime-signature = remove\n"
        "[mail-flow-policy:PLAIN]\naction = accept\n";
    std::string filters;
    const auto add = [&](const std::string& name, const std::string& keys) {
        text += "[sending-profile:" + name + "]\n" + keys;
        text += "[content-filter:" + name + "]\ndirection = outgoing\ncondition = subject == \"^" +
                name + "$\"\nactions = smime-gateway(\"" + name + "\");\n";
        filters += (filters.empty() ? "" : ", ") + name;
    };
    const std::string demo = "certificate = demo\nsender-match = off\n";
    add("sign", "mode = sign\n" + demo);
    add("opaque", "mode = sign\nsign-mode = opaque\n" + demo);
    add("encrypt", "mode = encrypt\n");
    add("gcm", "mode = encrypt\ncipher = aes-256-gcm\n");
    add("sign-encrypt", "mode = sign-encrypt\n" + demo);
    add("opaque-encrypt", "mode = sign-encrypt\nsign-mode = opaque\n" + demo);
    add("triple", "mode = triple\n" + demo);
    add("opaque-triple", "mode = triple\nsign-mode = opaque\n" + demo);
    text +=
        "[sending-profile:again]\nmode = sign\n" + demo +
        "[content-filter:verified]\ndirection = incoming\ncondition = smime-gateway-verified and "
        "rcpt-to == \"again@\"\nactions = smime-gateway(\"again\");\n"
        "[mail-policy:OTHERS]\ndirection = incoming\nrecipients = @others.example\n"
        "[mail-policy:INWARDS]\ndirection = incoming\ncontent-filters = verified\n"
        "[mail-policy:DEFAULT]\ndirection = outgoing\ncontent-filters = " +
        filters + "\n";
    return text;
}

constexpr const char* modes[] = {"sign",         "opaque",         "encrypt", "gcm",
                                 "sign-encrypt", "opaque-encrypt", "triple",  "opaque-triple"};

bool has_signature(const std::string& mode) { return mode != "encrypt" && mode != "gcm"; }

bool has_encryption(const std::string& mode) { return mode != "sign" && mode != "opaque"; }

class IncomingTest : public IntakeFixture {
protected:
    IncomingTest() : IntakeFixture(sections()) {
        sealer_ = std::make_unique<Sealer>(*parts_, [this] { return state_; });
        seal_ = [this](SealTask task, Sealer::Done done) {
            sealer_->start(std::move(task), std::move(done));
        };
        // The demo certificate is for the gateway's own domain; it is trusted as itself.
        demo_ = state_->identities->find("demo");
        keys_->add({"demo", demo_->leaf, {}}, {});
        known_keys_ = std::make_unique<KeyRingKeys>(*keys_);
        parts_->incoming.known_keys = known_keys_.get();
    }

    // What leaves for b@mx.example.org (the demo certificate's domain) under that mode.
    std::string sealed(const std::string& mode, const std::string& content) {
        use("RELAYED");
        world_.deliveries.clear();
        const Reply reply =
            take("From: a@mx.example.org\r\nTo: b@mx.example.org\r\nSubject: " + mode +
                     "\r\nMIME-Version: 1.0\r\n" + content,
                 {"b@mx.example.org"});
        EXPECT_EQ(reply.code, 250) << reply.text();
        settle();
        EXPECT_EQ(world_.deliveries.size(), 1u);
        if (world_.deliveries.empty()) return {};
        const std::string body = world_.deliveries[0].body;
        world_.deliveries.clear();
        return body.substr(body.find("From: "));  // without the first hop's Received
    }
    std::string received(const std::string& policy, const std::string& message,
                         std::size_t piece_bytes = 100'000,
                         std::vector<std::string> recipients = {"b@inside.example"}) {
        use(policy);
        world_.deliveries.clear();
        const Reply reply = take(message, std::move(recipients), piece_bytes);
        EXPECT_EQ(reply.code, 250) << reply.text();
        settle();
        return world_.deliveries.empty() ? std::string() : world_.deliveries[0].body;
    }
    // The same for messages that are not kept in memory: read back from the store.
    std::string stored_after(const std::string& policy, const std::string& message) {
        use(policy);
        world_.holding = true;
        const Reply reply = take(message, {"b@mx.example.org"}, 50'000);
        EXPECT_EQ(reply.code, 250) << reply.text();
        const std::string text = reply.text();
        const std::string body = read_back(std::stoull(text.substr(text.rfind(' '))));
        world_.release();
        settle();
        return body.substr(body.find("From: "));
    }
    std::string read_back(MessageId mid) {
        const auto reader = spool_->read(mid);
        std::string body;
        for (bool more = true; more;) {
            bool answered = false;
            reader->next([&](Result<ChunkList> piece) {
                answered = true;
                EXPECT_TRUE(piece);
                more = piece && !piece->empty();
                if (more) body += piece->to_string();
            });
            EXPECT_TRUE(loop_.run_until([&] { return answered; }, 10'000));
            if (!answered) return {};
        }
        return body;
    }
    // Opaquely signed so many times, each inside the next.
    std::string nested(int layers, std::string entity) {
        struct End final : Sink, Source {
            Result<Flow> write(Chunk chunk) override {
                text.append(chunk.text());
                return Flow::open;
            }
            Result<Flow> finish() override {
                finished = true;
                return Flow::open;
            }
            void on_drain() override {}
            void on_failed(Error error) override { ADD_FAILURE() << error.what; }
            std::string text;
            bool finished = false;
        };
        for (int i = 0; i < layers; ++i) {
            SignPlan plan;
            plan.identity = demo_;
            plan.sign_mode = SendingProfileOptions::SignMode::opaque;
            plan.signing_time = loop_.wall_seconds();
            End end;
            const auto stage = make_sign_stage(plan, workers_, end, end);
            EXPECT_TRUE(stage->write(Chunk::copy_of(entity)));
            EXPECT_TRUE(stage->finish());
            EXPECT_TRUE(loop_.run_until([&] { return end.finished; }, 10'000));
            entity = end.text;
        }
        return "From: a@mx.example.org\r\n" + entity;
    }
    void use(const std::string& policy) {
        session_.policy = &state_->config->mail_flow_policies.at(policy);
    }

    std::unique_ptr<Sealer> sealer_;
    IdentityPtr demo_;
    std::unique_ptr<KeyRingKeys> known_keys_;
};

std::string body_of(const std::string& message) {
    return message.substr(message.find("\r\n\r\n") + 4);
}
std::string results_of(const std::string& message) {
    const std::size_t begin = message.find("Authentication-Results: mx.example.org;");
    if (begin == std::string::npos) return {};
    std::size_t end = message.find("\r\n", begin);
    while (message[end + 2] == '\t' || message[end + 2] == ' ') end = message.find("\r\n", end + 2);
    return message.substr(begin, end - begin);
}
std::size_t occurrences(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

const std::string text_content = "Content-Type: text/plain\r\n\r\nHello, the text\r\n";

TEST_F(IncomingTest, OpensWhatItSealedHoweverTheInputIsCut) {
    for (const std::string mode : modes) {
        const std::string message = sealed(mode, text_content);
        for (const char* policy : {"KEEP", "REMOVE"}) {
            for (const std::size_t piece_bytes : {1u, 7u, 1000u, 100'000u}) {
                SCOPED_TRACE(testing::Message() << mode << " " << policy << " " << piece_bytes);
                const std::string got = received(policy, message, piece_bytes);
                EXPECT_EQ(occurrences(got, "Subject: " + mode + "\r\n"), 1u);
                EXPECT_EQ(occurrences(got, "\r\nMIME-Version: 1.0\r\n"), 1u);
                const bool keeps = has_signature(mode) && std::string(policy) == "KEEP";
                if (!keeps) {
                    EXPECT_EQ(body_of(got), "Hello, the text\r\n");
                } else if (!has_encryption(mode)) {
                    EXPECT_EQ(body_of(got), body_of(message));
                }
                EXPECT_EQ(got.find("enveloped-data"), std::string::npos);
                EXPECT_NE(results_of(got).find(has_signature(mode) ? "smime=pass" : "smime=none"),
                          std::string::npos)
                    << got;
                EXPECT_EQ(stored_count(), 0u);
            }
        }
    }
}

TEST_F(IncomingTest, OfATripleTheInnerSignatureStaysAndTheOuterOneGoes) {
    const std::string got = received("KEEP", sealed("triple", text_content));
    EXPECT_EQ(occurrences(got, "application/pkcs7-signature; name="), 1u);
    EXPECT_EQ(occurrences(got, "Hello, the text"), 1u);
    // It is still one: opened again it verifies.
    const std::string again = received("REMOVE", got.substr(got.find("From: ")));
    EXPECT_EQ(body_of(again), "Hello, the text\r\n");
    EXPECT_NE(results_of(again).find("smime=pass"), std::string::npos);
}

TEST_F(IncomingTest, WhatCannotBeOpenedIsDeliveredAsItCame) {
    for (const std::string mode : modes) {
        const std::string message = sealed(mode, text_content);
        // Damaged in the middle of the body.
        std::string damaged = message;
        const std::size_t body = damaged.find("\r\n\r\n") + 4;
        std::size_t at = body + (damaged.size() - body) / 2;
        if (mode == "sign") at = damaged.find("the text");
        while (std::isalnum(static_cast<unsigned char>(damaged[at])) == 0) ++at;
        damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
        for (const char* policy : {"KEEP", "REMOVE"}) {
            SCOPED_TRACE(testing::Message() << mode << " " << policy);
            const std::string got = received(policy, damaged);
            EXPECT_EQ(got.substr(got.find("From: ")), damaged);
            EXPECT_EQ(results_of(got).find("smime=pass"), std::string::npos);
            EXPECT_NE(results_of(got), "");
            EXPECT_EQ(stored_count(), 0u);
        }
        // A policy that does not open passes it on as it is, without a word.
        const std::string plain = received("PLAIN", message);
        EXPECT_EQ(plain.substr(plain.find("From: ")), message);
        EXPECT_EQ(results_of(plain), "");
    }
}

TEST_F(IncomingTest, AnEndTooEarlyIsDeliveredAsItCame) {
    for (const std::string mode : modes) {
        const std::string message = sealed(mode, text_content);
        const std::size_t body = message.find("\r\n\r\n") + 4;
        for (const std::size_t kept : {std::size_t{0}, std::size_t{10}, std::size_t{300}}) {
            SCOPED_TRACE(testing::Message() << mode << " " << kept);
            const std::string cut = message.substr(0, body + kept) + "\r\n";
            const std::string got = received("REMOVE", cut);
            EXPECT_EQ(got.substr(got.find("From: ")), cut);
            EXPECT_EQ(results_of(got).find("smime=pass"), std::string::npos);
        }
    }
}

TEST_F(IncomingTest, ASignatureOfSomebodyElseDoesNotPass) {
    std::string message = sealed("sign", text_content);
    message.replace(message.find("a@mx.example.org"), 16, "eve@evil.example");
    const std::string got = received("REMOVE", message);
    EXPECT_NE(results_of(got).find("smime=fail"), std::string::npos) << got;
    EXPECT_NE(results_of(got).find("sender-mismatch"), std::string::npos) << got;
    EXPECT_EQ(got.substr(got.find("From: ")), message);
    // Nor when From is there twice.
    const std::string twice = "From: a@mx.example.org\r\n" + sealed("sign", text_content);
    EXPECT_NE(results_of(received("KEEP", twice)).find("sender-mismatch"), std::string::npos);
}

TEST_F(IncomingTest, TakesOutWhatOthersSayInItsName) {
    const std::string forged =
        "Authentication-Results: mx.example.org; smime=pass\r\n"
        "Authentication-Results: (x) MX.Example.Org 1; dkim=pass\r\n"
        "Authentication-Results: other.example; spf=pass\r\n";
    const std::string plain = "From: a@example.com\r\n\r\nhello\r\n";
    const std::string got = received("KEEP", forged + plain);
    EXPECT_EQ(occurrences(got, "Authentication-Results:"), 2u) << got;
    EXPECT_NE(got.find("Authentication-Results: mx.example.org; smime=none\r\n"), std::string::npos)
        << got;
    EXPECT_NE(got.find("other.example"), std::string::npos);
    EXPECT_EQ(got.find("dkim=pass"), std::string::npos);
    const std::string signed_too = received("KEEP", forged + sealed("sign", text_content));
    EXPECT_EQ(occurrences(signed_too, "Authentication-Results:"), 2u) << signed_too;
}

TEST_F(IncomingTest, DecidesByTheVerdictPartByPart) {
    const std::string message = sealed("sign-encrypt", text_content);
    received("REMOVE", message, 100'000, {"again@inside.example", "c@others.example"});
    // The sealer and its worker take their time.
    ASSERT_TRUE(loop_.run_until([this] { return world_.deliveries.size() == 2; }, 10'000));
    settle();
    for (const Delivery& delivery : world_.deliveries) {
        // Signed anew for the one, plain for the other.
        const bool again = delivery.domain == "inside.example";
        EXPECT_EQ(delivery.body.find("multipart/signed") != std::string::npos, again);
        EXPECT_NE(delivery.body.find("Hello, the text\r\n"), std::string::npos);
    }
    std::string damaged = message;
    std::size_t at = damaged.find("\r\n\r\n") + (damaged.size() - damaged.find("\r\n\r\n")) / 2;
    while (std::isalnum(static_cast<unsigned char>(damaged[at])) == 0) ++at;
    damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
    received("REMOVE", damaged, 100'000, {"again@inside.example", "c@others.example"});
    ASSERT_TRUE(loop_.run_until([this] { return world_.deliveries.size() == 2; }, 10'000));
    settle();
    for (const Delivery& delivery : world_.deliveries)
        EXPECT_EQ(delivery.body.substr(delivery.body.find("From: ")), damaged);
    EXPECT_EQ(stored_count(), 0u);
}

TEST_F(IncomingTest, OpensAsManyLayersAsMayBeAndNotOneMore) {
    const int most = static_cast<int>(limits::smime_layers_max);
    const std::string whole = received("REMOVE", nested(most, text_content));
    EXPECT_EQ(body_of(whole), "Hello, the text\r\n");
    EXPECT_NE(results_of(whole).find("smime=pass"), std::string::npos) << whole;
    const std::string message = nested(most + 1, text_content);
    const std::string past = received("REMOVE", message);
    EXPECT_EQ(past.substr(past.find("From: ")), message);
    EXPECT_NE(results_of(past).find("too-many-layers"), std::string::npos) << results_of(past);
}

TEST_F(IncomingTest, SaysWhatItMakesOfWhatOnlyLooksLikeSmime) {
    const std::string from = "From: a@mx.example.org\r\n";
    const std::string cms = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n";
    const struct {
        const char* name;
        std::string message;
        const char* result;  // in the field
    } cases[] = {
        {"no CMS", from + cms + "\r\nhello\r\n", "smime=neutral (malformed)"},
        {"no body", from + cms + "\r\n", "smime=neutral (malformed)"},
        {"no end of the header", from + cms, "smime=neutral (malformed)"},
        {"base64 of text", from + cms + "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n",
         "smime=neutral (malformed)"},
        {"a name alone",
         from + "Content-Type: application/octet-stream; name=smime.p7m\r\n\r\nhello\r\n",
         "smime=none"},
        {"two types that differ", from + cms + "Content-Type: text/plain\r\n\r\nhello\r\n",
         "smime=neutral (malformed)"},
        {"a multipart/signed of one part",
         from + "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
                "boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n",
         "smime=neutral (malformed)"},
        {"OpenPGP's",
         from + "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; "
                "boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n",
         "smime=none"},
    };
    for (const auto& [name, message, result] : cases) {
        SCOPED_TRACE(name);
        for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{1000}}) {
            const std::string got = received("REMOVE", message, piece_bytes);
            EXPECT_NE(results_of(got).find(result), std::string::npos) << got;
            EXPECT_EQ(got.substr(got.find("From: ")), message);
            EXPECT_EQ(stored_count(), 0u);
        }
    }
}

// What was encrypted nobody has looked at: a bare LF or CR in it must not end the message at the
// next host.
TEST_F(IncomingTest, GivesEveryLineItsEnd) {
    const std::string bare = "Content-Type: text/plain\r\n\r\na\n.\nMAIL FROM:<x>\r.\rb\r\nc\r";
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{1000}}) {
        const std::string got = received("REMOVE", nested(1, bare), piece_bytes);
        EXPECT_EQ(body_of(got), "a\r\n.\r\nMAIL FROM:<x>\r\n.\r\nb\r\nc\r\n");
    }
}

TEST_F(IncomingTest, OpensALargeMessageInPieces) {
    std::string text;
    for (int i = 0; text.size() < (3u << 20); ++i) text += "line " + std::to_string(i) + "\r\n";
    for (const std::string mode : {"opaque-triple", "gcm"}) {
        SCOPED_TRACE(mode);
        const std::string message = stored_after(
            "RELAYED", "From: a@mx.example.org\r\nTo: b@mx.example.org\r\nSubject: " + mode +
                           "\r\nContent-Type: text/plain\r\n\r\n" + text);
        const std::string got = stored_after("REMOVE", message);
        EXPECT_EQ(body_of(got), text);
        EXPECT_EQ(stored_count(), 0u);
    }
}

// What came with the header is held until the key is there; more would be held beside it.
TEST_F(IncomingTest, WantsNoMoreWhileAKeyIsAwaited) {
    const std::string message =
        sealed("encrypt", "\r\n" + std::string(40'000, 'x') + "\r\nthe end\r\n");
    use("KEEP");
    auto intake = begin({"b@inside.example"});
    drained_ = false;
    const auto written = intake->write(Chunk::copy_of(message.substr(0, 20'000)));
    ASSERT_TRUE(written);
    EXPECT_EQ(*written, Flow::full);
    ASSERT_TRUE(loop_.run_until([this] { return drained_; }, 20'000));
    ASSERT_TRUE(intake->write(Chunk::copy_of(message.substr(20'000))));
    intake->finish();
    EXPECT_TRUE(loop_.run_until([this] { return reply_.code != 0; }, 20'000));
    EXPECT_EQ(reply_.code, 250) << reply_.text();
}

TEST_F(IncomingTest, AMessageThatIsGivenUpLeavesNothing) {
    for (const std::string mode : modes) {
        const std::string message = sealed(mode, text_content);
        use("REMOVE");
        for (const std::size_t kept : {message.size() / 3, message.size() - 5, message.size()}) {
            auto intake = begin({"b@inside.example"});
            ASSERT_TRUE(intake->write(Chunk::copy_of(message.substr(0, kept))));
            if (kept == message.size()) intake->finish();
            intake.reset();
            settle();
            EXPECT_EQ(stored_count(), 0u);
            EXPECT_TRUE(world_.deliveries.empty());
        }
    }
}

}  // namespace
}  // namespace sealgate
