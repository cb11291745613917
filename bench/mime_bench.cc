// SPDX-License-Identifier: GPL-3.0-or-later
// What every message pays: the scan, the header, and the 7-bit stage; and what one that comes in
// pays for being taken apart. Bytes per second of input; the messages are those of
// tests/data/clients, and large ones made here.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bench/support/cost_counter.h"
#include "smtp/addresses.h"
#include "smtp/mime_decode.h"
#include "smtp/mime_downgrade.h"
#include "smtp/mime_signed_parts.h"
#include "smtp/smime_part_scan.h"

namespace sealgate {
namespace {

class NullSink final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        bytes += chunk.size();
        return Flow::open;
    }
    Result<Flow> finish() override { return Flow::open; }
    std::uint64_t bytes = 0;
};

std::vector<Chunk> client_mails() {
    std::vector<Chunk> mails;
    const std::filesystem::path folder = SEALGATE_SOURCE_DIR "/tests/data/clients";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".eml") continue;
        std::ifstream file(entry.path(), std::ios::binary);
        mails.push_back(Chunk::copy_of(std::string(std::istreambuf_iterator<char>(file), {})));
    }
    require(!mails.empty(), "no mails in tests/data/clients");
    return mails;
}

// 10 MB in reads of 64 KB, the last part with this header and made of this line.
std::vector<Chunk> large_mail(const std::string& part_header, const std::string& line) {
    std::string mail =
        "Content-Type: multipart/mixed; boundary=large\r\n\r\n--large\r\n" + part_header + "\r\n";
    while (mail.size() < 10'000'000) mail += line + "\r\n";
    mail += "--large--\r\n";
    std::vector<Chunk> reads;
    for (std::size_t at = 0; at < mail.size(); at += limits::read_block_bytes)
        reads.push_back(
            Chunk::copy_of(std::string_view(mail).substr(at, limits::read_block_bytes)));
    return reads;
}

std::size_t bytes_of(const std::vector<Chunk>& chunks) {
    std::size_t bytes = 0;
    for (const Chunk& chunk : chunks) bytes += chunk.size();
    return bytes;
}

void count(benchmark::State& state, std::size_t bytes, std::size_t messages) {
    const auto runs = static_cast<std::int64_t>(state.iterations());
    state.SetBytesProcessed(runs * static_cast<std::int64_t>(bytes));
    state.SetItemsProcessed(runs * static_cast<std::int64_t>(messages));
}

void scan(benchmark::State& state) {
    const std::vector<Chunk> reads = large_mail("", std::string(76, 'x'));
    const auto one = [&] {
        MimeScan scan;
        for (const Chunk& chunk : reads) scan.feed(chunk.bytes());
        require(!scan.has_eight_bit() && !scan.has_long_lines(), "scan");
    };
    for (auto _ : state) one();
    count(state, bytes_of(reads), 1);
    count_costs(state, one, bytes_of(reads));
}

void header_and_from(benchmark::State& state) {
    const std::vector<Chunk> mails = client_mails();
    const auto one = [&] {
        std::size_t senders = 0;
        for (const Chunk& mail : mails) {
            HeaderCollector collector;
            require(collector.write(mail).has_value(), "header");
            const Header header = collector.take_header();
            senders += sole_from_address(header).has_value();
            benchmark::DoNotOptimize(header.subject());
            benchmark::DoNotOptimize(header.message_id());
        }
        require(senders == mails.size(), "senders");
    };
    for (auto _ : state) one();
    count(state, bytes_of(mails), mails.size());
    count_costs(state, one, bytes_of(mails));
}

void seven_bit_clients(benchmark::State& state) {
    const std::vector<Chunk> mails = client_mails();
    const auto one = [&] {
        NullSink sink;
        for (const Chunk& mail : mails) {
            const auto stage = make_seven_bit_entity_stage(sink, false);
            require(stage->write(mail) && stage->finish(), "stage");
        }
        require(sink.bytes > bytes_of(mails), "something is encoded, so longer");
    };
    for (auto _ : state) one();
    count(state, bytes_of(mails), mails.size());
    count_costs(state, one, bytes_of(mails));
}

void seven_bit_large(benchmark::State& state, const char* part_header, const std::string& line,
                     bool encoded) {
    const std::vector<Chunk> reads = large_mail(part_header, line);
    const auto one = [&] {
        NullSink sink;
        const auto stage = make_seven_bit_entity_stage(sink, false);
        for (const Chunk& chunk : reads) require(stage->write(chunk).has_value(), "write");
        require(stage->finish().has_value(), "finish");
        require(stage->re_encoded() == encoded && !stage->left_eight_bit(), "encoded");
    };
    for (auto _ : state) one();
    count(state, bytes_of(reads), 1);
    count_costs(state, one, bytes_of(reads));
}

// Incoming: the body of a large multipart/mixed is fed as that of a multipart/signed.
void signed_parts(benchmark::State& state, const std::string& line) {
    std::vector<Chunk> reads = large_mail("", line);
    const std::size_t body = reads[0].text().find("--large");
    reads[0] = reads[0].slice(body, reads[0].size());
    const std::size_t close = reads.back().text().find("--large--");
    reads.back() = Chunk::copy_of(std::string(reads.back().text().substr(0, close)) +
                                  "--large\r\n\r\nMII=\r\n--large--\r\n");
    const auto one = [&] {
        NullSink content;
        NullSink signature;
        SignedParts parts("large", content, signature);
        for (const Chunk& chunk : reads) require(parts.write(chunk).has_value(), "write");
        require(parts.finish() && parts.has_close(), "finish");
        require(content.bytes > 9'900'000 && signature.bytes == 6, "parts");
    };
    for (auto _ : state) one();
    count(state, bytes_of(reads), 1);
    count_costs(state, one, bytes_of(reads));
}

void decode_base64(benchmark::State& state) {
    std::string text;
    while (text.size() < 10'000'000) text += std::string(76, 'A') + "\r\n";
    std::vector<Chunk> reads;
    for (std::size_t at = 0; at < text.size(); at += limits::read_block_bytes)
        reads.push_back(
            Chunk::copy_of(std::string_view(text).substr(at, limits::read_block_bytes)));
    const auto one = [&] {
        NullSink sink;
        TransferDecoder decoder(sink, TransferEncoding::base64);
        for (const Chunk& chunk : reads) require(decoder.write(chunk).has_value(), "write");
        require(decoder.finish() && sink.bytes == text.size() / 78 * 57, "decoded");
    };
    for (auto _ : state) one();
    count(state, text.size(), 1);
    count_costs(state, one, text.size());
}

void smime_part_scan(benchmark::State& state) {
    const std::vector<Chunk> reads =
        large_mail("Content-Transfer-Encoding: base64\r\n", std::string(76, 'A'));
    const ContentType type = parse_content_type("multipart/mixed; boundary=large");
    const auto one = [&] {
        SmimePartScan scan(type);
        for (const Chunk& chunk : reads) scan.feed(chunk.bytes());
        require(scan.done() && !scan.found(), "scanned to its end");
    };
    for (auto _ : state) one();
    count(state, bytes_of(reads), 1);
    count_costs(state, one, bytes_of(reads));
}

BENCHMARK(scan);
BENCHMARK(header_and_from);
BENCHMARK(seven_bit_clients);
BENCHMARK_CAPTURE(seven_bit_large, base64_untouched, "Content-Transfer-Encoding: base64\r\n",
                  std::string(76, 'A'), false);
BENCHMARK_CAPTURE(seven_bit_large, to_quoted_printable, "Content-Transfer-Encoding: 8bit\r\n",
                  "Zwei Gr\xC3\xBC\xC3\x9F"
                  "e aus K\xC3\xB6ln, und dazu etwas mehr Text in der Zeile",
                  true);
BENCHMARK_CAPTURE(seven_bit_large, to_base64,
                  "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n",
                  std::string(200, '\xE4'), true);

BENCHMARK_CAPTURE(signed_parts, text, "Some text as people write it, of one line");
BENCHMARK_CAPTURE(signed_parts, dashes, "- a list, each line of which may be a boundary");
BENCHMARK(decode_base64);
BENCHMARK(smime_part_scan);

}  // namespace
}  // namespace sealgate
