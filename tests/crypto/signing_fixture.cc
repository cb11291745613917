// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/crypto/signing_fixture.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "core/loop.h"
#include "core/workers.h"
#include "crypto/pem.h"

namespace sealgate::test {
namespace {

std::string file_in_signers(const std::string& name) {
    return std::string(SEALGATE_SOURCE_DIR "/tests/data/signers/") + name;
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

Bytes der_in(const std::string& path) {
    const auto blocks = read_pem(as_bytes(read_file(path)));
    if (!blocks || blocks->size() != 1) {
        ADD_FAILURE() << "not one PEM block: " << path;
        return {};
    }
    const ByteSpan der = blocks->front().der.bytes();
    return Bytes(der.begin(), der.end());
}

CertificatePtr certificate_in(const std::string& path) {
    auto certificate = Certificate::parse(der_in(path));
    EXPECT_TRUE(certificate) << path;
    return certificate ? *certificate : nullptr;
}

class FailureSource final : public Source {
public:
    void on_drain() override {}
    void on_failed(Error error) override { what = error.what; }
    const char* what = nullptr;
};

}  // namespace

std::string root_file() { return file_in_signers("root.pem"); }
std::string intermediate_file() { return file_in_signers("intermediate.pem"); }
std::string leaf_file(const std::string& name) { return file_in_signers(name + ".pem"); }

IdentityPtr signer(const std::string& name) {
    static std::uint64_t last_id = 1000;
    auto identity = std::make_shared<Identity>();
    identity->name = name;
    identity->leaf = certificate_in(leaf_file(name));
    identity->chain = {certificate_in(intermediate_file()), certificate_in(root_file())};
    identity->key.kind = identity->leaf->key_kind();
    identity->key.bits = identity->leaf->key_bits();
    identity->key.pkcs8 = SecureBytes::copy_of(der_in(file_in_signers(name + ".key.pem")));
    identity->key.id = ++last_id;
    return identity;
}

SignPlan plan_for(const std::string& signer_name) {
    SignPlan plan;
    plan.identity = signer(signer_name);
    plan.signing_time = 1795305600;
    plan.boundary = "=_fixed_boundary";
    return plan;
}

Outcome sign_message(const SignPlan& plan, const std::vector<std::string_view>& pieces) {
    Loop loop;
    WorkerPool workers(loop, 1);
    CollectingSink below;
    FailureSource above;
    const auto stage = make_sign_stage(plan, workers, below, above);
    const auto outcome = [&](const char* error) {
        return Outcome{std::move(below.text), below.finished, error};
    };
    for (const std::string_view piece : pieces) {
        const auto flow = stage->write(Chunk::copy_of(piece));
        if (!flow) return outcome(flow.error().what);
    }
    const auto flow = stage->finish();
    if (!flow) return outcome(flow.error().what);
    loop.run_until([&] { return below.finished || above.what != nullptr; }, 20'000);
    return outcome(above.what);
}

std::string cms_of(const std::string& message) {
    const std::size_t field = message.rfind("Content-Disposition: attachment");
    const std::size_t begin = message.find("\r\n\r\n", field) + 4;
    const std::size_t end = std::min(message.find("\r\n--", begin), message.size());
    const TemporaryFolder folder;
    const std::string text = folder.write("base64", message.substr(begin, end - begin));
    const ToolRun run = run_tool("openssl base64 -d -in " + text + " -out " + folder.path("der"));
    EXPECT_EQ(run.status, 0) << run.output;
    return folder.read("der");
}

TemporaryFolder::TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sealgate-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, std::string_view contents) const {
    std::ofstream out(path(name), std::ios::binary);
    out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    EXPECT_TRUE(out);
    return path(name);
}

std::string TemporaryFolder::read(const std::string& name) const { return read_file(path(name)); }

ToolRun run_tool(const std::string& command) {
    ToolRun run;
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    if (!pipe) return run;
    std::array<char, 4096> part;
    while (const std::size_t count = std::fread(part.data(), 1, part.size(), pipe))
        run.output.append(part.data(), count);
    const int status = pclose(pipe);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

bool has_tool(const std::string& name) { return run_tool("command -v " + name).status == 0; }

}  // namespace sealgate::test
