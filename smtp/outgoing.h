// SPDX-License-Identifier: GPL-3.0-or-later
// How one message is made for the way out: relayed as it is, signed, encrypted, bounced, dropped.
//
// Decided once, at the end of the header, from the message's header, its sending profile and its
// recipients' keys; then outlet.h carries it out. One decision of the mail policies becomes one
// part, or several: recipients without a key are apart under `missing-key = split`, hidden ones
// (in no To or Cc) get an envelope of their own. spec/smime.md "Outgoing". Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/chunk.h"
#include "core/policy.h"
#include "core/reason.h"
#include "crypto/smime_encrypt.h"
#include "crypto/smime_sign.h"
#include "smtp/envelope.h"
#include "smtp/gateway_state.h"
#include "smtp/header.h"
#include "smtp/key_search.h"

namespace sealgate {

// What is said of a part in the log and in metrics: what was done, or left undone, to it.
enum class SmimeNote : std::uint8_t {
    none,
    already_smime,  // its root is S/MIME: left as it is (spec/smime.md, Outgoing 7)
    left_clear,     // no key, and the profile says `missing-key = split`
};

struct OutgoingPlan {
    // wait: a key could not be looked up now; the message is kept until it can.
    enum class Kind : std::uint8_t { relay, seal, bounce, drop, wait } kind = Kind::relay;
    std::string profile;  // the sending profile's name; empty: none was asked for
    SendingProfileOptions::Mode mode = SendingProfileOptions::Mode::sign;  // of this part
    SmimeNote note = SmimeNote::none;
    // For Kind::seal, from the inside out: signed, encrypted, signed.
    std::optional<SignPlan> sign;
    std::optional<EncryptPlan> encrypt;
    std::optional<SignPlan> sign_outside;
    Reason reason = Reason::ok;  // why it bounces or is dropped
    std::string why;             // more about it, for the log: which key source did not answer
};

struct OutgoingPart {
    std::vector<std::size_t> recipients;   // indexes into the envelope's
    std::vector<std::size_t> without_key;  // of those, when the reason is no_key
    OutgoingPlan plan;
};

// S/MIME is done later: asked for by the profile's filter, or for want of a key look-up.
OutgoingPlan waiting_plan(const GatewayState& state, const std::string& profile);

// Where keys are looked up.
struct KeySources {
    KeyRing& ring;
    KeyDirectories* directories = nullptr;  // null: only local keys
};

class OutgoingPlanner {
public:
    // What is referred to must stay until the parts are taken. An empty profile: relay.
    OutgoingPlanner(KeySources sources, const GatewayState& state, const Header& header,
                    const Envelope& envelope, std::string profile,
                    std::vector<std::size_t> recipients, std::int64_t wall_seconds);

    // True: the parts are there. False: `done` is called once, later; never after the planner's
    // end.
    bool start(std::function<void()> done);
    // Covers each recipient exactly once.
    std::vector<OutgoingPart> take_parts();
    // What was found for each of the recipients, in their order; empty when no keys were wanted.
    std::vector<KeyAnswer> key_answers() const;

private:
    bool sign_or_bounce();
    void divide();
    void add_encrypted(std::vector<std::size_t> positions);
    void add_without_keys(std::vector<std::size_t> positions);
    OutgoingPart part(OutgoingPlan::Kind kind, std::vector<std::size_t> recipients) const;
    bool is_hidden(const std::string& address) const;
    bool encrypts() const;

    KeySources sources_;
    const GatewayState& state_;
    const Header& header_;
    const Envelope& envelope_;
    std::string profile_name_;
    const SendingProfileOptions* profile_ = nullptr;  // null: relay
    std::vector<std::size_t> recipients_;
    std::int64_t wall_seconds_;
    std::optional<SignPlan> sign_;          // the inner signature
    std::optional<SignPlan> sign_outside_;  // of `triple`
    std::vector<std::string> shown_;        // addresses of To and Cc
    std::unique_ptr<KeySearch> search_;
    std::vector<OutgoingPart> parts_;
};

// What the root of a message is: RFC 8551 §3.5 (signed), §3.3 (enveloped). An
// application/pkcs7-mime that does not say what it is, is `other`. OpenPGP's is none.
enum class SmimeRoot : std::uint8_t { none, is_signed, encrypted, other };
SmimeRoot smime_root(const ContentType& type);

const char* to_text(SendingProfileOptions::Mode mode);  // "sign-encrypt"

}  // namespace sealgate
