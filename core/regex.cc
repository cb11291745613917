// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/regex.h"

#include <hs/hs.h>

#include <algorithm>

#include "core/limits.h"

namespace sealgate {

struct Regex::State {
    hs_database_t* database = nullptr;
    hs_scratch_t* scratch = nullptr;

    ~State() {
        hs_free_scratch(scratch);
        hs_free_database(database);
    }
};

Regex::Regex() : state_(std::make_unique<State>()) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(const std::string& pattern, Case letter_case, std::string* why) {
    if (pattern.size() > limits::regex_bytes_max) {
        *why =
            "the expression is longer than " + std::to_string(limits::regex_bytes_max) + " bytes";
        return past_limit("expression too long");
    }
    // Whether there is a match is all that is asked: the first one ends the scan.
    unsigned flags = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY;
    if (letter_case == Case::fold) flags |= HS_FLAG_CASELESS;
    const bool ascii = std::all_of(pattern.begin(), pattern.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!ascii) flags |= HS_FLAG_UTF8 | HS_FLAG_UCP;
    Regex regex;
    hs_compile_error_t* error = nullptr;
    if (hs_compile(pattern.c_str(), flags, HS_MODE_BLOCK, nullptr, &regex.state_->database,
                   &error) != HS_SUCCESS) {
        *why = error ? error->message : "not an expression";
        hs_free_compile_error(error);
        return malformed("bad expression");
    }
    if (hs_alloc_scratch(regex.state_->database, &regex.state_->scratch) != HS_SUCCESS) {
        *why = "no memory for the expression";
        return temporary("no memory for the expression");
    }
    return regex;
}

bool Regex::matches(std::string_view text) const {
    const auto stop_at_first = [](unsigned, unsigned long long, unsigned long long, unsigned,
                                  void*) { return 1; };
    const auto bytes = static_cast<unsigned>(std::min<std::size_t>(text.size(), 0xffffffffu));
    const char* data = text.data() ? text.data() : "";
    return hs_scan(state_->database, data, bytes, 0, state_->scratch, stop_at_first, nullptr) ==
           HS_SCAN_TERMINATED;
}

}  // namespace sealgate
