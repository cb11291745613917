// SPDX-License-Identifier: GPL-3.0-or-later
// Private to smtp/session*.cc: a row of the command table, and a mail transaction.
#pragma once

#include "smtp/bdat_reader.h"
#include "smtp/data_reader.h"
#include "smtp/session.h"

namespace sealgate {

struct Session::CommandRow {
    Verb verb;
    unsigned allowed_in;  // states, as bits
    void (Session::*handler)(std::string_view argument);
};

// From MAIL to the answer at the end of data, and no longer: an idle session has none.
struct Session::Transaction {
    Envelope envelope;
    std::optional<Reply> verdict;              // the message's fate, said at its end
    const SmtpRefusal* refused = nullptr;      // by the session itself: one of its own
    std::optional<SmtpRefusal> chunk_refusal;  // of a BDAT that has no message to belong to
    std::unique_ptr<MessageIntake> intake;
    bool intake_full = false;
    std::uint64_t content_bytes = 0;
    DataReader data;
    BdatReader bdat;
};

}  // namespace sealgate
