// SPDX-License-Identifier: GPL-3.0-or-later
#include "crypto/smime_encrypt.h"

#include <utility>

#include "core/limits.h"
#include "crypto/envelope_writer.h"

namespace sealgate {
namespace {

// What one job enciphers. A message up to this size takes one job in all, together with its
// RecipientInfos: one thread hop. Half of what may wait, so that the next run gathers meanwhile.
constexpr std::size_t run_bytes = 16 * 1024;
static_assert(run_bytes <= limits::encrypt_waiting_bytes_max);
// Smaller chunks are put together, for a chunk costs a list entry and holds its whole block.
constexpr std::size_t small_chunk_bytes = 512;

// A value to a worker and back.
struct Run {
    std::unique_ptr<EnvelopeWriter> writer;
    ChunkList content;
    EnvelopeWriter::More more = EnvelopeWriter::More::follows;
};
struct Answer {
    Run run;  // while recipients are missing its content is still there, and there is no text
    Result<ChunkList> text;
};

Result<ChunkList> work_on(Run& run) {
    if (!run.writer->recipients_complete()) {
        TRY(run.writer->add_recipients());
        if (!run.writer->recipients_complete()) return ChunkList();
    }
    return run.writer->write(std::move(run.content), run.more);
}

class Stage final : public EncryptStage {
public:
    Stage(EncryptPlan plan, WorkerPool& workers, Sink& below, Source& above)
        : cipher_(plan.cipher),
          workers_(workers),
          below_(below),
          above_(above),
          writer_(std::make_unique<EnvelopeWriter>(std::move(plan))) {}

    Result<Flow> write(Chunk chunk) override {
        content_bytes_ += chunk.size();
        TRY(check_content_bytes(cipher_, content_bytes_));
        if (chunk.size() < small_chunk_bytes) {
            small_.append(chunk.bytes());
        } else {
            waiting_.append(small_.take());
            waiting_.append(std::move(chunk));
        }
        start_run();
        return flow();
    }

    Result<Flow> finish() override {
        ended_ = true;
        start_run();
        return flow();
    }

    void on_drain() override {
        below_full_ = false;
        start_run();
        drain();
    }

    void on_failed(Error error) override { above_.on_failed(error); }

private:
    std::size_t waiting_bytes() const { return waiting_.bytes() + small_.bytes(); }

    bool full() const {
        return below_full_ || waiting_bytes() + running_bytes_ >= limits::encrypt_waiting_bytes_max;
    }
    Flow flow() {
        said_full_ = full();
        return said_full_ ? Flow::full : Flow::open;
    }
    // The last thing a call does: who is above may write at once, or take the stage down.
    void drain() {
        if (!said_full_ || full()) return;
        said_full_ = false;
        if (!ended_) above_.on_drain();
    }

    void start_run() {
        if (!writer_ || below_full_) return;  // at work, or nowhere to put it
        if (waiting_bytes() < run_bytes && !ended_) return;
        Run run;
        run.content = take_content();
        if (ended_ && waiting_bytes() == 0) run.more = EnvelopeWriter::More::last;
        run.writer = std::move(writer_);
        submit(std::move(run));
    }

    ChunkList take_content() {
        waiting_.append(small_.take());
        if (waiting_.bytes() <= run_bytes) return std::exchange(waiting_, ChunkList());
        ChunkList content;
        while (content.bytes() < run_bytes) {
            const std::size_t wanted = run_bytes - content.bytes();
            if (waiting_.begin()->size() <= wanted) {
                content.append(waiting_.take_front());
            } else {
                content.append(waiting_.begin()->slice(0, wanted));
                waiting_.trim_front(wanted);
            }
        }
        return content;
    }

    void submit(Run run) {
        running_bytes_ = run.content.bytes();
        ticket_ = workers_.submit(
            [run = std::move(run)]() mutable {
                Result<ChunkList> text = work_on(run);
                return Answer{std::move(run), std::move(text)};
            },
            [this](Answer answer) { on_answer(std::move(answer)); }, WorkerPool::Length::brief);
    }

    void on_answer(Answer answer) {
        Source& above = above_;  // the owner may take this stage down from below
        const Result<bool> still_there = take_answer(std::move(answer));
        if (!still_there)
            above.on_failed(still_there.error());
        else if (*still_there)
            drain();
    }

    // False: the message has ended, and perhaps this stage with it.
    Result<bool> take_answer(Answer answer) {
        ChunkList text = TRY(std::move(answer.text));
        if (!answer.run.writer->recipients_complete()) {
            submit(std::move(answer.run));
            return true;
        }
        running_bytes_ = 0;
        below_full_ = TRY(below_.write_all(std::move(text)))
        == Flow::full;
        if (answer.run.more == EnvelopeWriter::More::last) {
            TRY(below_.finish());
            return false;
        }
        writer_ = std::move(answer.run.writer);
        start_run();
        return true;
    }

    const ContentCipher cipher_;
    WorkerPool& workers_;
    Sink& below_;
    Source& above_;
    std::unique_ptr<EnvelopeWriter> writer_;  // null while a job has it
    WorkerPool::Ticket ticket_;
    ChunkList waiting_;
    ChunkBuilder small_;  // follows what waits
    std::size_t running_bytes_ = 0;
    std::uint64_t content_bytes_ = 0;
    bool below_full_ = false;
    bool said_full_ = false;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<EncryptStage> make_encrypt_stage(EncryptPlan plan, WorkerPool& workers, Sink& below,
                                                 Source& above) {
    return std::make_unique<Stage>(std::move(plan), workers, below, above);
}

}  // namespace sealgate
