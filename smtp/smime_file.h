// SPDX-License-Identifier: GPL-3.0-or-later
// What the gateway would make of a message that lies in a file.
//
// The message runs through the same stages as one that comes by SMTP (smtp/smime_reader.h), with
// the same verdict, in pieces of 64 KB whatever its size. Only what is around differs: lines get
// their CRLF, a leading mbox "From " line is not looked at, and nothing is queued or logged.
// spec/smime.md "The offline tool". Blocks; a loop of its own must be given, not one that serves.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/certificate_bundle.h"
#include "smtp/smime_reader.h"

namespace sealgate {

// How much of what a reader would show the verdict is about.
enum class SmimeCoverage : std::uint8_t {
    whole,  // all of it is inside the outermost layer
    part,   // S/MIME is below the root alone, where it is not processed
    none,   // there is no S/MIME
};
const char* to_word(SmimeCoverage coverage);

struct SmimeFileOptions {
    // Whom signatures must cover.
    enum class Identity : std::uint8_t {
        from,      // the one address of From
        envelope,  // `envelope_sender`; without one, the address of Return-Path
        off,       // anybody
    };
    Identity identity = Identity::from;
    std::optional<std::string> envelope_sender{};
    std::shared_ptr<const DecryptionKeys> keys{};
    VerifyContext verify{};  // without a sender: it is the message's
    SmimeReader::Signatures signatures = SmimeReader::Signatures::keep;
    bool use_protected_headers = true;
    // In whose name Authentication-Results is written; empty: it is not.
    std::string hostname{};
    // Where to write what would be delivered; empty: nowhere. What a layer held gets its header as
    // the gateway makes it, without Received. A message that would be delivered as it came is
    // copied byte for byte.
    std::string output{};
};

struct SmimeFileVerdict {
    SmimeVerdict smime;
    SmimeCoverage coverage = SmimeCoverage::none;
    // Whom signatures had to cover. Empty: there is no single sender. Nothing: nobody was asked.
    std::optional<std::string> sender;
    // What would be delivered is what a layer held, not the message as it came.
    bool opened = false;
};

// A refusal is about files: one that cannot be read or written, a header past all limits.
Answer<SmimeFileVerdict> read_smime_file(Loop& loop, WorkerPool& workers, const std::string& path,
                                         SmimeFileOptions options);

}  // namespace sealgate
