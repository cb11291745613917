// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/bounce.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "core/loop.h"
#include "core/mail_log.h"
#include "core/metrics.h"
#include "smtp/dsn_text.h"

namespace sealgate {
namespace {

// Each holds up to dsn_header_bytes_max of an original and as much of a report.
constexpr std::size_t jobs_at_once_max = 16;

// The end of Message-ID and boundary that nobody can foresee: an original that contains our
// boundary could otherwise be written.
std::string random_word() {
    static thread_local std::random_device device;
    return fmt::format("{:08x}{:08x}", device(), device());
}

// The report's own envelope. RFC 3461 §6.1: the null reverse-path, and NOTIFY=NEVER.
Envelope envelope_of(const BounceReport& report, const ChunkList& message, std::int64_t now) {
    Envelope envelope;
    Recipient& to = envelope.recipients.emplace_back();
    to.address = report.to;
    to.notify.given = true;
    to.notify.never = true;
    envelope.smtputf8 = !is_ascii_text(report.to);
    envelope.arrived = now;
    envelope.message_id = fmt::format("<{}@{}>", report.unique, report.hostname);
    envelope.subject = fmt::format("Mail delivery report ({})", to_text(report.kind));
    const std::string text = message.to_string();
    envelope.header_bytes = text.find("\r\n\r\n") + 4;
    return envelope;
}

}  // namespace

bool wants_report(const Notify& notify, DsnKind kind) {
    if (!notify.given) return kind != DsnKind::relayed;
    if (notify.never) return false;
    switch (kind) {
    case DsnKind::failed:
    case DsnKind::expired: return notify.failure;
    case DsnKind::delayed: return notify.delay;
    case DsnKind::relayed: return notify.success;
    }
    return false;
}

BounceReport report_about(const Envelope& envelope, DsnKind kind) {
    BounceReport report;
    report.kind = kind;
    report.to = envelope.sender;
    report.envelope_id = envelope.envelope_id;
    report.message_id = envelope.message_id;
    report.subject = envelope.subject;
    report.arrived = envelope.arrived;
    return report;
}

// One job on its way: found by number, for the desk may be gone when the store answers.
struct BounceDesk::Work {
    BounceJob job;
    MessageId mid = 0;  // of the report
    std::uint64_t bytes_wanted = 0;
    std::unique_ptr<SpoolReader> reader;
};

struct BounceDesk::State : std::enable_shared_from_this<BounceDesk::State> {
    explicit State(Context c) : context(std::move(c)) {}

    void begin_more();
    void begin(std::shared_ptr<Work> work);
    void read_on(std::shared_ptr<Work> work);
    void on_piece(const std::shared_ptr<Work>& work, Result<ChunkList> piece);
    void make(const std::shared_ptr<Work>& work);
    void on_stored(const std::shared_ptr<Work>& work, Result<StoredMessage> stored);
    void log_begin(const Work& work, std::size_t bytes) const;

    Context context;
    std::deque<BounceJob> waiting;
    std::size_t under_way = 0;
};

BounceDesk::BounceDesk(Context context) : state_(std::make_shared<State>(std::move(context))) {}

BounceDesk::~BounceDesk() { state_->waiting.clear(); }

std::size_t BounceDesk::jobs() const { return state_->under_way + state_->waiting.size(); }

void BounceDesk::submit(BounceJob job) {
    state_->waiting.push_back(std::move(job));
    // Never from inside: the submitter is in the middle of its own change.
    state_->context.loop.defer([weak = std::weak_ptr(state_)] {
        if (const auto state = weak.lock()) state->begin_more();
    });
}

void BounceDesk::State::begin_more() {
    while (under_way < jobs_at_once_max && !waiting.empty()) {
        auto work = std::make_shared<Work>();
        work->job = std::move(waiting.front());
        waiting.pop_front();
        ++under_way;
        begin(std::move(work));
    }
}

void BounceDesk::State::begin(std::shared_ptr<Work> work) {
    BounceJob& job = work->job;
    job.report.hostname = context.hostname;
    job.report.now = context.clock();
    job.report.return_ = what_to_return(job.report.kind, job.wanted, job.body_bytes);
    if (job.in_memory) {
        job.report.original = std::move(job.original);
        return make(work);
    }
    const bool whole = job.report.return_ == BounceReport::Return::whole;
    const std::uint64_t header_bytes = job.header_bytes > 0 ? job.header_bytes : job.body_bytes;
    work->bytes_wanted =
        whole ? job.body_bytes : std::min<std::uint64_t>(header_bytes, dsn_header_bytes_max + 2);
    work->reader = context.spool.read(job.mid);
    read_on(std::move(work));
}

void BounceDesk::State::read_on(std::shared_ptr<Work> work) {
    SpoolReader& reader = *work->reader;
    reader.next([weak = weak_from_this(), work = std::move(work)](Result<ChunkList> piece) {
        if (const auto state = weak.lock()) state->on_piece(work, std::move(piece));
    });
}

void BounceDesk::State::on_piece(const std::shared_ptr<Work>& work, Result<ChunkList> piece) {
    BounceReport& report = work->job.report;
    if (!piece) {
        context.log.warning("MID {} cannot be read for its delivery report: {}", work->job.mid,
                            piece.error().what);
        report.return_ = BounceReport::Return::nothing;
    }
    const bool last = !piece || piece->empty();
    if (!last) report.original.append(*std::move(piece));
    if (!last && report.original.bytes() < work->bytes_wanted) return read_on(work);
    // The reader called us: it goes when the loop comes round.
    context.loop.defer([reader = std::shared_ptr<SpoolReader>(std::move(work->reader))] {});
    make(work);
}

void BounceDesk::State::make(const std::shared_ptr<Work>& work) {
    BounceReport& report = work->job.report;
    work->mid = context.spool.next_mid();
    report.unique = fmt::format("{:x}.{}.{}", report.now, work->mid, random_word());
    ChunkList message = make_dsn(report);
    report.original.clear();
    log_begin(*work, message.bytes());
    std::string envelope = encode_envelope(envelope_of(report, message, report.now));
    context.spool.store(work->mid, std::move(message), std::move(envelope),
                        [weak = weak_from_this(), work](Result<StoredMessage> stored) {
                            if (const auto state = weak.lock())
                                state->on_stored(work, std::move(stored));
                        });
}

void BounceDesk::State::log_begin(const Work& work, std::size_t bytes) const {
    MailLog& log = context.log;
    log.info("Start MID {} ICID 0", work.mid);
    log.info("MID {} was generated based on MID {} by bounce", work.mid, work.job.mid);
    log.info("MID {} ICID 0 From: <>", work.mid);
    log.info("MID {} ICID 0 RID 0 To: <{}>", work.mid, printable(work.job.report.to));
    log.info("MID {} ready {} bytes from <>", work.mid, bytes);
}

void BounceDesk::State::on_stored(const std::shared_ptr<Work>& work, Result<StoredMessage> stored) {
    CHECK(under_way > 0);
    --under_way;
    auto done = std::move(work->job.done);
    if (stored) {
        Metrics::instance().add(Counter::dsn_made);
        Metrics::instance().add(Counter::messages_generated);
        context.log.info("MID {} queued for delivery", work->mid);
        context.to_queue(*std::move(stored));
        if (done) done({});
    } else {
        context.log.error("MID {} is lost: the delivery report for MID {} cannot be stored: {}",
                          work->mid, work->job.mid, stored.error().what);
        context.log.info("Message finished MID {} aborted", work->mid);
        if (done) done(tl::unexpected(stored.error()));
    }
    begin_more();
}

}  // namespace sealgate
