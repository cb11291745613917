// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/smime_file.h"

#include "core/loop.h"
#include "smtp/addresses.h"
#include "smtp/header_edit.h"
#include "smtp/incoming_report.h"
#include "smtp/line_ends.h"
#include "smtp/message_file.h"
#include "smtp/protected_headers.h"
#include "smtp/sender_identity.h"
#include "smtp/smime_part_scan.h"

namespace sealgate {
namespace {

// Of one wait: for a worker, or for a revocation list that is fetched, which has a limit of its
// own.
constexpr std::uint64_t patience_ms = 600'000;

// What nobody wants to have.
class NowhereSink final : public Sink {
public:
    Result<Flow> write(Chunk) override { return Flow::open; }
    Result<Flow> finish() override { return Flow::open; }
};

class GatheringSink final : public Sink {
public:
    Result<Flow> write(Chunk chunk) override {
        chunks.append(std::move(chunk));
        return Flow::open;
    }
    Result<Flow> finish() override { return Flow::open; }
    ChunkList chunks;
};

bool has_bare_line_feed(std::string_view text) {
    for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
        if (at == 0 || text[at - 1] != '\r') return true;
    return false;
}

std::string envelope_sender_of(const Header& header) {
    const AddressList list = parse_addresses(header.value_of("Return-Path"));
    return list.addresses.size() == 1 && !list.malformed ? list.addresses.front() : "";
}

class SmimeFileReading final : private SmimeReader::Owner {
public:
    SmimeFileReading(Loop& loop, WorkerPool& workers, MessageFile file, SmimeFileOptions options)
        : loop_(loop), workers_(workers), file_(std::move(file)), options_(std::move(options)) {}

    Answer<SmimeFileVerdict> run();

private:
    Answer<void> read_header();
    void find_sender();
    bool must_give_line_ends(SmimeKind kind) const;
    Answer<void> open_layers(SmimeKind kind);
    Answer<void> scan_parts();
    Answer<void> feed(Sink& sink, SmimeKind kind);
    Answer<void> pass(Sink& sink, Chunk chunk);
    Answer<void> wait_for(const bool& one, const bool& other);
    Answer<void> write_output();
    ChunkList header_to_deliver() const;
    tl::unexpected<Refusal> refused_for(const Error& error) const;

    Sink& on_opened(const Header& entity) override;
    void on_hopeless() override {}
    void on_smime_drain() override { drained_ = true; }
    void on_smime_end(Result<void> stored) override {
        ended_ = true;
        stored_ = stored;
    }

    Loop& loop_;
    WorkerPool& workers_;
    MessageFile file_;
    SmimeFileOptions options_;
    Header header_;
    ChunkList rest_;  // of the piece in which the header ended
    bool header_lacks_cr_ = false;
    NowhereSink nowhere_;
    std::unique_ptr<SpillFile> spill_;  // null: there is no output
    Header opened_header_;
    SmimeFileVerdict verdict_;
    Result<void> stored_;
    bool drained_ = false;
    bool ended_ = false;
};

Answer<SmimeFileVerdict> SmimeFileReading::run() {
    if (auto read = read_header(); !read) return tl::unexpected(read.error());
    find_sender();
    const SmimeKind kind = smime_kind(header_);
    auto done = kind == SmimeKind::none ? scan_parts() : open_layers(kind);
    if (done) done = write_output();
    if (!done) return tl::unexpected(done.error());
    return std::move(verdict_);
}

tl::unexpected<Refusal> SmimeFileReading::refused_for(const Error& error) const {
    if (spill_ && !spill_->trouble().empty()) return refused(spill_->trouble());
    return refused(file_.path() + ": " + error.what);
}

Answer<void> SmimeFileReading::read_header() {
    HeaderCollector collector;
    while (!collector.done()) {
        auto piece = file_.read();
        if (!piece) return tl::unexpected(piece.error());
        if (piece->empty()) {
            if (auto finished = collector.finish(); !finished) return refused_for(finished.error());
            break;
        }
        if (auto whole = collector.write(*std::move(piece)); !whole)
            return refused_for(whole.error());
    }
    header_ = collector.take_header();
    rest_ = collector.take_rest();
    header_lacks_cr_ = has_bare_line_feed(header_.bytes().text());
    return {};
}

void SmimeFileReading::find_sender() {
    const std::string from = address_to_cover(header_).value_or("");
    options_.verify.correspondent = from;
    switch (options_.identity) {
    case SmimeFileOptions::Identity::from: verdict_.sender = from; break;
    case SmimeFileOptions::Identity::envelope:
        verdict_.sender =
            options_.envelope_sender ? *options_.envelope_sender : envelope_sender_of(header_);
        break;
    case SmimeFileOptions::Identity::off: break;
    }
    options_.verify.sender = verdict_.sender;
}

// CMS itself has no lines; one that is in the file as bytes must stay as it is.
bool SmimeFileReading::must_give_line_ends(SmimeKind kind) const {
    if (kind != SmimeKind::detached) return false;
    return header_lacks_cr_ || header_.transfer_encoding() != TransferEncoding::binary;
}

Answer<void> SmimeFileReading::wait_for(const bool& one, const bool& other) {
    if (loop_.run_until([&] { return one || other; }, patience_ms)) return {};
    return refused(file_.path() + ": it takes too long");
}

Answer<void> SmimeFileReading::pass(Sink& sink, Chunk chunk) {
    drained_ = false;
    const Result<Flow> flow = sink.write(std::move(chunk));
    if (!flow) return refused_for(flow.error());
    return *flow == Flow::full ? wait_for(drained_, ended_) : Answer<void>();
}

Answer<void> SmimeFileReading::feed(Sink& sink, SmimeKind kind) {
    LineEndStage line_ends(sink);
    Sink& first = must_give_line_ends(kind) ? static_cast<Sink&>(line_ends) : sink;
    Answer<void> passed;
    while (passed && !rest_.empty()) passed = pass(first, rest_.take_front());
    while (passed) {
        auto piece = file_.read();
        if (!piece) return tl::unexpected(piece.error());
        if (piece->empty()) break;
        passed = pass(first, *std::move(piece));
    }
    if (!passed) return passed;
    if (const Result<Flow> finished = first.finish(); !finished)
        return refused_for(finished.error());
    return {};
}

Sink& SmimeFileReading::on_opened(const Header& entity) {
    opened_header_ = entity;
    if (!spill_) return nowhere_;
    spill_->clear();
    return *spill_;
}

Answer<void> SmimeFileReading::open_layers(SmimeKind kind) {
    if (!options_.output.empty()) {
        auto spill = SpillFile::make(spill_folder_of(options_.output));
        if (!spill) return tl::unexpected(spill.error());
        spill_ = *std::move(spill);
    }
    SmimeReader::Owner& owner = *this;
    SmimeReader reader({loop_, workers_, options_.keys, options_.verify, options_.signatures}, kind,
                       header_, owner);
    if (auto fed = feed(reader, kind); !fed) return fed;
    if (auto waited = wait_for(ended_, ended_); !waited) return waited;
    if (!stored_) return refused_for(stored_.error());
    verdict_.smime = reader.take_verdict();
    verdict_.opened = verdict_.smime.opened;
    verdict_.coverage = verdict_.smime.is_smime ? SmimeCoverage::whole : SmimeCoverage::none;
    return {};
}

Answer<void> SmimeFileReading::scan_parts() {
    SmimePartScan scan(header_.content_type());
    while (!rest_.empty()) scan.feed(rest_.take_front().bytes());
    while (!scan.done()) {
        const auto piece = file_.read();
        if (!piece) return tl::unexpected(piece.error());
        if (piece->empty()) break;
        scan.feed(piece->bytes());
    }
    if (scan.found()) verdict_.coverage = SmimeCoverage::part;
    return {};
}

ChunkList SmimeFileReading::header_to_deliver() const {
    GatheringSink gathered;
    LineEndStage stage(gathered);
    (void)stage.write(header_.bytes());  // a list takes whatever comes
    const Header outer = Header::parse(flatten(gathered.chunks));
    ProtectedHeaders inside;
    if (verdict_.smime.was_encrypted && options_.use_protected_headers)
        inside = read_protected_headers(outer, verdict_.smime.payload_header);
    return delivered_header(outer, opened_header_, options_.hostname, &inside);
}

template <typename File>
Answer<void> copy(File& from, OutputFile& to) {
    if (auto rewound = from.rewind(); !rewound) return rewound;
    for (;;) {
        const auto piece = from.read();
        if (!piece) return tl::unexpected(piece.error());
        if (piece->empty()) return {};
        if (auto written = to.write(piece->bytes()); !written) return written;
    }
}

Answer<void> SmimeFileReading::write_output() {
    if (options_.output.empty()) return {};
    auto output = OutputFile::open(options_.output);
    if (!output) return tl::unexpected(output.error());
    Answer<void> written;
    if (verdict_.opened) {
        std::string results;
        if (!options_.hostname.empty())
            results = authentication_results_of(verdict_.smime, options_.hostname,
                                                verdict_.sender.value_or(""));
        written = output->write(as_bytes(results));
        if (written) written = output->write(flatten(header_to_deliver()).bytes());
        if (written) written = copy(*spill_, *output);
    } else {
        written = copy(file_, *output);
    }
    return written ? output->commit() : written;
}

}  // namespace

const char* to_word(SmimeCoverage coverage) {
    switch (coverage) {
    case SmimeCoverage::whole: return "whole";
    case SmimeCoverage::part: return "part";
    case SmimeCoverage::none: return "none";
    }
    return "";
}

Answer<SmimeFileVerdict> read_smime_file(Loop& loop, WorkerPool& workers, const std::string& path,
                                         SmimeFileOptions options) {
    auto file = MessageFile::open(path);
    if (!file) return tl::unexpected(file.error());
    return SmimeFileReading(loop, workers, *std::move(file), std::move(options)).run();
}

}  // namespace sealgate
