// SPDX-License-Identifier: GPL-3.0-or-later
// What directories and the DNS answer: any bytes give an answer, and a key only if it is usable.
#include "smtp/directory_answer.h"

using namespace sealgate;

namespace {

constexpr std::int64_t in_november = 1'795'305'600;  // 2026-11-22

void check(const KeyChoice& choice, const KeyAnswer& answer) {
    CHECK(!answer.why.empty());
    CHECK((answer.outcome == KeyAnswer::Outcome::found) == (answer.key.certificate != nullptr));
    if (!answer.key.certificate) return;
    CHECK(answer.key.certificate->covers(choice.address));
    CHECK(answer.key.certificate->may_encrypt() == Reason::ok);
    CHECK(answer.key.certificate->valid_at(choice.wall_seconds) == Reason::ok);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const KeyChoice choice{"directory:x", "x", "bob@x.example", in_november, nullptr};
    const std::string body(as_text({data + 1, size - 1}));
    switch (data[0]) {
    case 'l': check(choice, key_of_entries(choice, body)); break;
    case 'f': check(choice, key_of_file(choice, body)); break;
    default:
        if (auto record = parse_smimea(body)) {
            check(choice, key_of_records(choice, nullptr, {*std::move(record)}));
        }
    }
    return 0;
}
