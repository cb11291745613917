// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs a fuzz target over files instead of inventing inputs: every seed is a regression test in the
// builds without libFuzzer. Arguments are files or folders; an absent folder has no seeds. The
// empty input always runs, for libFuzzer begins with it, too.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool replay(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        std::fprintf(stderr, "cannot read %s\n", path.c_str());
        return false;
    }
    const std::vector<char> text{std::istreambuf_iterator<char>(file),
                                 std::istreambuf_iterator<char>()};
    const std::vector<std::uint8_t> input(text.begin(), text.end());
    std::fprintf(stderr, "%s\n", path.c_str());  // the last line printed names a crash's input
    return LLVMFuzzerTestOneInput(input.data(), input.size()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint8_t nothing = 0;
    bool good = LLVMFuzzerTestOneInput(&nothing, 0) == 0;
    std::size_t count = 1;
    for (int i = 1; i < argc; ++i) {
        const std::filesystem::path path(argv[i]);
        std::error_code none;
        if (!std::filesystem::is_directory(path, none)) {
            if (!std::filesystem::exists(path, none)) continue;
            good = replay(path) && good;
            ++count;
            continue;
        }
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
            if (!entry.is_regular_file()) continue;
            good = replay(entry.path()) && good;
            ++count;
        }
    }
    std::printf("%zu inputs replayed\n", count);
    return good ? 0 : 1;
}
