// SPDX-License-Identifier: GPL-3.0-or-later
// For the tests of headers and MIME: a sink that keeps the text, streams cut at will, mail files.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/stage.h"
#include "smtp/mime_seven_bit.h"

namespace sealgate::mime_test {

class TextSink final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        text.append(chunk.text());
        chunks.push_back(std::move(chunk));
        return Flow::open;
    }
    Result<Flow> finish() override {
        finished = true;
        return Flow::open;
    }
    std::string text;
    std::vector<Chunk> chunks;
    bool finished = false;
};

struct Outcome {
    std::string text;
    bool left_eight_bit = false;
    bool left_long_lines = false;
    bool re_encoded = false;
    bool operator==(const Outcome&) const = default;
};

// The text in pieces that end at these places.
inline Outcome run_cut(std::string_view in, const std::vector<std::size_t>& cuts,
                       SevenBitOptions options = {}) {
    TextSink sink;
    SevenBitStage stage(sink, options);
    std::size_t from = 0;
    for (const std::size_t cut : cuts) {
        if (cut <= from || cut >= in.size()) continue;
        (void)stage.write(Chunk::copy_of(in.substr(from, cut - from)));
        from = cut;
    }
    if (from < in.size()) (void)stage.write(Chunk::copy_of(in.substr(from)));
    (void)stage.finish();
    return {sink.text, stage.left_eight_bit(), stage.left_long_lines(), stage.re_encoded()};
}

inline Outcome run(std::string_view in, SevenBitOptions options = {}) {
    return run_cut(in, {}, options);
}

inline SevenBitOptions whole_message() {
    return {SevenBitOptions::Form::message, SevenBitOptions::Trust::nothing};
}

inline std::vector<std::size_t> random_cuts(std::size_t bytes, std::mt19937& random) {
    std::vector<std::size_t> cuts;
    std::uniform_int_distribution<std::size_t> piece(1, 1 + random() % 5000);
    for (std::size_t at = piece(random); at < bytes; at += piece(random)) cuts.push_back(at);
    return cuts;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// As SMTP would have brought it: every line end is CRLF.
inline std::string with_crlf(std::string_view text) {
    std::string lines;
    lines.reserve(text.size() + text.size() / 32);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool cr = text[i] == '\r';
        if (cr && i + 1 < text.size() && text[i + 1] == '\n') ++i;
        if (cr || text[i] == '\n') {
            lines += "\r\n";
        } else {
            lines.push_back(text[i]);
        }
    }
    return lines;
}

// Mails of the corpora and of tests/data; empty where there are none.
inline std::vector<std::filesystem::path> mails_under(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> mails;
    std::error_code none;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, none)) {
        const auto extension = entry.path().extension();
        if (entry.is_regular_file() && (extension == ".eml" || extension == ".msg"))
            mails.push_back(entry.path());
    }
    std::sort(mails.begin(), mails.end());
    return mails;
}

}  // namespace sealgate::mime_test
