// SPDX-License-Identifier: GPL-3.0-or-later
// One message's part of an SMTP session: what may leave now, and what a reply means.
//
// With PIPELINING (RFC 2920) MAIL, all RCPT and DATA leave at once, and with BDAT (RFC 3030) the
// content as well; without it each command waits for the reply before it. No socket here and no
// time: the connection sends, and tests speak to it in strings. Its buffers live on from message to
// message, so that a message costs no allocation of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/sealload/ledger.h"
#include "tools/sealload/mail_template.h"
#include "tools/sealload/reply_scanner.h"
#include "tools/sealload/source_addresses.h"
#include "tools/sealload/source_counts.h"

namespace sealgate {

// What one message is: made when it is due, gone when its last reply came.
struct OutgoingMail {
    std::uint64_t number = 0;  // 0: none
    const MailTemplate* mail_template = nullptr;
    std::shared_ptr<const MailTemplate> made;  // for this message alone
    std::uint64_t intended_ns = 0;
    bool measured = false;  // begun after the warm-up
};

// What the target's EHLO offered and our options want.
struct Offers {
    bool pipelining = false, eight_bit = false, size = false, chunking = false, starttls = false;
};

class MailDialogue {
public:
    enum class Next : std::uint8_t {
        wait,      // for the next reply
        commands,  // take_commands() has more
        content,   // is to be sent now
        dot,       // an empty content is to be sent: there was a 354, and nobody to send it to
        finished,  // outcome() is known
        lost,      // 421: the connection is of no more use
    };

    void begin(const MailTemplate& mail, std::size_t message_id_bytes,
               const SourceAddresses& addresses, std::uint64_t number, const Offers& offers);

    // What may leave now; true when the content follows it in the same breath (BDAT, pipelined).
    bool take_commands(std::string& out);
    // The content is on its way: from now on the message is in doubt until its reply.
    void on_content_sent() { content_sent_ = true; }
    bool content_sent() const { return content_sent_; }
    std::uint64_t message_bytes() const { return message_bytes_; }
    bool awaits_reply() const { return answered_ < sent_; }
    Phase awaited() const;  // which phase the next reply ends

    Next on_reply(const ReplyLine& reply);
    // Valid after `finished`. Of a refusal, the reply that decided it.
    SentState outcome() const { return outcome_; }
    const std::string& refusal() const { return refusal_; }
    // Those that were accepted, or all.
    std::vector<std::string> accepted_recipients() const;
    std::vector<std::string> all_recipients() const;

private:
    // A step is a command and its reply: MAIL, each RCPT, DATA or BDAT, and after DATA the content.
    std::size_t rcpt_end() const { return accepted_.size() + 1; }
    Next on_rcpt_reply(std::size_t step, const ReplyLine& reply);
    Next on_data_reply(const ReplyLine& reply);
    Next finish(const ReplyLine& reply);
    Next go_on();
    std::string recipient(std::size_t index) const;

    std::string commands_;
    std::vector<std::size_t> ends_;  // of the steps' commands in commands_
    std::vector<char> accepted_;     // by recipient
    std::size_t accepted_count_ = 0;
    std::uint64_t message_bytes_ = 0;
    std::size_t sent_ = 0, answered_ = 0;  // steps
    bool pipelining_ = false, chunking_ = false, content_sent_ = false;
    SentState outcome_ = SentState::unknown;
    std::string refusal_;  // empty: none yet
};

}  // namespace sealgate
