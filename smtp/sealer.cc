// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/sealer.h"

#include <deque>
#include <unordered_map>

#include "core/loop.h"
#include "core/mail_log.h"

namespace sealgate {
namespace {

// Messages that are read back at once. A message that waits for a directory counts, too, so there
// are many: a slow directory delays its own mail only.
constexpr std::size_t jobs_max = 1000;

}  // namespace

struct Sealer::State : std::enable_shared_from_this<Sealer::State> {
    class Job;

    State(HouseParts& house, std::function<GatewayStatePtr()> state)
        : parts(house), state_in_force(std::move(state)) {}

    void begin_waiting();
    void finish(MessageId mid);

    HouseParts& parts;
    std::function<GatewayStatePtr()> state_in_force;
    std::unordered_map<MessageId, std::unique_ptr<Job>> jobs;
    std::deque<std::unique_ptr<Job>> waiting;
};

// One message: its header is read, the parts are planned, and its body streams through them, once
// for every parts_at_once_max parts.
class Sealer::State::Job final : private Outlets::Owner {
public:
    Job(Sealer::State& sealer, SealTask task, Done done)
        : sealer_(sealer),
          parts_(sealer.parts),
          task_(std::move(task)),
          done_(std::move(done)),
          state_(sealer.state_in_force()),
          alive_(std::make_shared<Job*>(this)) {}
    ~Job() { *alive_ = nullptr; }

    MessageId mid() const { return task_.mid; }
    void begin() {
        if (!state_->config->sending_profiles.contains(profile()))
            return wait("there is no sending-profile " + profile() + " in the configuration");
        rewind();
        read_on();
    }

private:
    const std::string& profile() const { return task_.envelope.deferred_profile; }

    // --- the body, from its beginning, in pieces -------------------------------------------------
    void rewind() {
        unread_ = task_.body;
        reader_.reset();
        if (!task_.in_memory) reader_ = parts_.spool.read(task_.mid);
    }

    void read_on() {
        if (task_.in_memory) return on_piece(std::exchange(unread_, {}));
        reader_->next([alive = alive_](Result<ChunkList> piece) {
            if (!*alive) return;
            if (!piece) return (*alive)->wait("the spool cannot be read");
            (*alive)->on_piece(*std::move(piece));
        });
    }

    void on_piece(ChunkList piece) {
        at_end_ = task_.in_memory || piece.empty();
        unread_.append(std::move(piece));
        go_on();
    }

    void go_on() {
        const Result<bool> more = planner_ ? feed_parts() : feed_header();
        if (!more) return wait(more.error().what);
        if (*more && !at_end_) read_on();
    }

    // --- the header, and the plan ----------------------------------------------------------------
    Result<bool> feed_header() {
        while (!unread_.empty() && !collector_.done()) TRY(collector_.write(unread_.take_front()));
        if (!collector_.done()) {
            if (!at_end_) return true;
            TRY(collector_.finish());
        }
        header_ = collector_.take_header();
        ChunkList body = collector_.take_rest();
        body.append(std::move(unread_));
        unread_ = std::move(body);
        planner_ = std::make_unique<OutgoingPlanner>(parts_.keys, *state_, header_, task_.envelope,
                                                     profile(), task_.recipients,
                                                     parts_.loop.wall_seconds());
        const bool planned = planner_->start([this] { on_planned(); });
        if (planned) on_planned_later();
        return false;
    }

    void on_planned_later() {
        parts_.loop.defer([alive = alive_] {
            if (*alive) (*alive)->on_planned();
        });
    }

    void on_planned() {
        planned_ = planner_->take_parts();
        if (planned_.front().plan.kind == OutgoingPlan::Kind::wait)
            return wait(planned_.front().plan.why);
        begin_turn();
    }

    // --- a turn: some of the parts ---------------------------------------------------------------
    void begin_turn() {
        const Result<void> begun = begin_parts();
        if (!begun) return wait(begun.error().what);
        go_on();
    }

    Result<void> begin_parts() {
        Outlets::Owner& owner = *this;
        outlets_ = std::make_unique<Outlets>(parts_, owner);
        const std::size_t end = std::min(planned_.size(), begun_ + limits::parts_at_once_max);
        for (; begun_ < end; ++begun_) {
            const std::vector<std::size_t> rids = planned_[begun_].recipients;
            turn_rids_.insert(turn_rids_.end(), rids.begin(), rids.end());
            PartToMake make = part_to_make(task_.envelope, planned_[begun_]);
            make.mid = parts_.spool.next_mid();
            make.envelope.deferred_profile.clear();
            make.envelope.deferred_by.clear();
            make.envelope.attempts = 0;
            make.envelope.next_attempt = 0;
            make.content_filter = task_.envelope.deferred_by;
            parts_.log.info(
                "MID {} was generated for S/MIME encryption based on MID {} by content filter '{}'",
                make.mid, task_.mid, task_.envelope.deferred_by);
            TRY(outlets_->add(std::move(make), header_, {}));
        }
        return {};
    }

    Result<bool> feed_parts() {
        if (!outlets_) return false;  // not planned yet
        skip_header();
        while (!unread_.empty() && outlets_->flow() == Flow::open)
            TRY(outlets_->write(unread_.take_front()));
        if (!unread_.empty()) return false;  // on_outlets_drain() goes on
        if (!at_end_) return true;
        TRY(outlets_->finish());
        return false;
    }

    // In the turns after the first the header comes again before the body.
    void skip_header() {
        while (skip_bytes_ > 0 && !unread_.empty()) {
            Chunk front = unread_.take_front();
            const std::size_t skipped = std::min<std::size_t>(skip_bytes_, front.size());
            skip_bytes_ -= skipped;
            if (skipped == front.size()) continue;
            ChunkList rest;
            rest.append(front.slice(skipped, front.size()));
            rest.append(std::move(unread_));
            unread_ = std::move(rest);
        }
    }

    void on_outlets_drain() override { go_on(); }

    void on_outlets_done() override {
        if (const Outlet* failed = outlets_->failure()) return wait(failed->outcome().error().what);
        outlets_->release();
        outcome_.moved.insert(outcome_.moved.end(), turn_rids_.begin(), turn_rids_.end());
        turn_rids_.clear();
        outlets_.reset();
        if (begun_ == planned_.size()) return end();
        skip_bytes_ = header_.bytes().size();
        at_end_ = false;
        rewind();
        const Result<void> begun = begin_parts();
        if (!begun) return wait(begun.error().what);
        read_on();
    }

    void wait(std::string why) {
        if (outlets_) {
            for (const auto& outlet : outlets_->list())
                parts_.log.info("Message finished MID {} aborted", outlet->mid());
            outlets_->clear();
        }
        outcome_.waits = why.empty() ? "no answer yet" : std::move(why);
        end();
    }

    // The last thing a job does; it is gone soon after.
    void end() {
        if (ended_) return;
        ended_ = true;
        parts_.loop.defer([weak = sealer_.weak_from_this(), mid = task_.mid,
                           done = std::move(done_), outcome = std::move(outcome_)]() mutable {
            const auto sealer = weak.lock();
            if (!sealer) return;
            sealer->finish(mid);
            done(std::move(outcome));
        });
    }

    Sealer::State& sealer_;
    HouseParts& parts_;
    SealTask task_;
    Done done_;
    GatewayStatePtr state_;
    SealOutcome outcome_;
    bool ended_ = false;
    std::unique_ptr<SpoolReader> reader_;
    ChunkList unread_;
    bool at_end_ = false;         // nothing comes after unread_
    std::size_t skip_bytes_ = 0;  // of the header, in a later turn
    HeaderCollector collector_;
    Header header_;
    std::unique_ptr<OutgoingPlanner> planner_;
    std::vector<OutgoingPart> planned_;
    std::size_t begun_ = 0;  // of planned_
    std::vector<std::size_t> turn_rids_;
    std::unique_ptr<Outlets> outlets_;
    std::shared_ptr<Job*> alive_;
};

void Sealer::State::begin_waiting() {
    while (!waiting.empty() && jobs.size() < jobs_max) {
        std::unique_ptr<Job> job = std::move(waiting.front());
        waiting.pop_front();
        Job& begun = *job;
        jobs[begun.mid()] = std::move(job);
        begun.begin();
    }
}

void Sealer::State::finish(MessageId mid) {
    jobs.erase(mid);
    begin_waiting();
}

Sealer::Sealer(HouseParts& parts, std::function<GatewayStatePtr()> state)
    : state_(std::make_shared<State>(parts, std::move(state))) {}

Sealer::~Sealer() {
    state_->waiting.clear();
    state_->jobs.clear();
}

void Sealer::start(SealTask task, Done done) {
    State& state = *state_;
    state.waiting.push_back(std::make_unique<State::Job>(state, std::move(task), std::move(done)));
    state.begin_waiting();
}

std::size_t Sealer::under_way() const { return state_->jobs.size() + state_->waiting.size(); }

}  // namespace sealgate
