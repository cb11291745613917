// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of decryption share: keys of ours, and CMS through reader and stage.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/cms_reader.h"
#include "crypto/decryption_keys.h"
#include "crypto/smime_decrypt.h"
#include "tests/crypto/encrypt_fixture.h"

namespace sealgate::test {

// A fresh one each time; of the correspondents of tests/data/recipients.
IdentityPtr identity_of(const std::string& name);
IdentityPtr identity_of(const Correspondent& who);  // null where its files are absent
std::shared_ptr<const DecryptionKeys> keys_of(const std::vector<std::string>& names);
// All of tests/data/recipients.
std::shared_ptr<const DecryptionKeys> all_keys();

struct Opened {
    LayerReport report;
    std::string content;    // as it was written below
    bool finished = false;  // below
    bool ended = false;     // on_decrypt_end() was called
    bool failed_early = false;
    int drained = 0;
    const char* error = nullptr;  // of the reader, or of what is below

    bool ok() const { return report.reason == Reason::ok; }
};

// `cms` through reader and stage on a loop with one worker, in pieces of `piece_bytes`, heeding
// Flow::full.
Opened open_cms(ByteSpan cms, std::shared_ptr<const DecryptionKeys> keys,
                std::size_t piece_bytes = 65'536);
// What lies behind the header of a message with one part, out of its base64.
Bytes body_of(const std::string& message);
Opened open_message(const std::string& message, std::shared_ptr<const DecryptionKeys> keys,
                    std::size_t piece_bytes = 65'536);

}  // namespace sealgate::test
