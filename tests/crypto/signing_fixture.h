// SPDX-License-Identifier: GPL-3.0-or-later
// What the tests of signing share: the signers of tests/data/signers, a message through the stage,
// and other people's tools to check it with.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/chunk.h"
#include "core/stage.h"
#include "crypto/identity.h"
#include "crypto/smime_sign.h"

namespace sealgate::test {

// "rsa2048", "p256"…, with the chain [intermediate, root].
IdentityPtr signer(const std::string& name);
// Where the root of all of them is, PEM.
std::string root_file();
std::string intermediate_file();
std::string leaf_file(const std::string& name);

// Takes everything, and remembers.
class CollectingSink final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        text.append(chunk.text());
        ++chunk_count;
        return Flow::open;
    }
    Result<Flow> finish() override {
        finished = true;
        return Flow::open;
    }
    std::string text;
    std::size_t chunk_count = 0;
    bool finished = false;
};

struct Outcome {
    std::string text;
    bool finished = false;
    const char* error = nullptr;  // what of the first error, from wherever it came
};

// Feeds `pieces` through a sign stage on a loop with one worker.
Outcome sign_message(const SignPlan& plan, const std::vector<std::string_view>& pieces);

// 2026-11-22 00:00:00 UTC, a fixed boundary.
SignPlan plan_for(const std::string& signer_name);

// What the base64 part of a signed message holds: the CMS, DER or BER.
std::string cms_of(const std::string& message);

class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    // Paths are plain words: they go into shell commands as they are.
    std::string path(const std::string& name) const { return (path_ / name).string(); }
    std::string write(const std::string& name, std::string_view contents) const;
    std::string read(const std::string& name) const;

private:
    std::filesystem::path path_;
};

struct ToolRun {
    int status = -1;
    std::string output;  // with what it wrote on standard error
};
ToolRun run_tool(const std::string& command);
bool has_tool(const std::string& name);

}  // namespace sealgate::test
