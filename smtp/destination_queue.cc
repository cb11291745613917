// SPDX-License-Identifier: GPL-3.0-or-later
#include "smtp/destination_queue.h"

#include <algorithm>

#include "dns/domain_name.h"

namespace sealgate {
namespace {

// Postfix begins with 5, too: enough to be quick, too few to hurt a small host.
constexpr std::size_t connections_begin = 5;
// RFC 5321 §4.5.3.1.8: every server takes at least 100 recipients; more in one go are a risk.
constexpr std::size_t recipients_per_task_max = 100;
// A round of the loop is not held up for a long line.
constexpr std::size_t handed_back_per_round_max = 200;
// The failures of a destination are remembered this long after it may be tried again.
constexpr std::int64_t failures_kept_seconds = 3600;

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& byte : result) {
        if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 32);
    }
    return result;
}

}  // namespace

// One connection, from the wish for it to its end.
class DestinationQueue::Lane final : public DeliveryLink::Owner {
public:
    explicit Lane(DestinationQueue& at) : at_(at), link_(at.house_.make_link(*this, at.domain_)) {}

    enum class Doing : std::uint8_t { connecting, busy, idle, gone };
    Doing doing() const { return doing_; }
    DeliveryLink& link() { return *link_; }
    void poke() {
        doing_ = Doing::busy;
        link_->poke();
    }
    void finish() {
        finishing_ = true;
        link_->finish();
    }

private:
    std::unique_ptr<DeliveryTask> next_task() override {
        if (doing_ == Doing::connecting) at_.set_up();  // it answered
        auto task = at_.next_task();
        if (task) ++tasks_out_;
        asked_in_vain_ = !task;
        doing_ = task || tasks_out_ > 0 ? Doing::busy : Doing::idle;
        return task;
    }
    void on_outcome(std::unique_ptr<DeliveryTask> task,
                    std::vector<RecipientOutcome> outcomes) override {
        CHECK(tasks_out_ > 0);
        --tasks_out_;
        // It asked ahead, while this task was under way, and need not ask again.
        if (tasks_out_ == 0 && asked_in_vain_) doing_ = Doing::idle;
        for (const RecipientOutcome& outcome : outcomes) {
            if (outcome.kind != RecipientOutcome::Kind::delivered) continue;
            at_.on_delivered();
            break;
        }
        at_.house_.on_outcome(at_, link_->dcid(), std::move(task), std::move(outcomes));
        at_.house_.pump_later(at_);
    }
    void on_gone(bool reached, Reply reply) override {
        if (doing_ == Doing::gone) return;
        // A host that greets and leaves, again and again, must not keep us busy: it is down.
        const bool useful = doing_ != Doing::connecting || finishing_;
        doing_ = Doing::gone;
        at_.on_gone(*this, reached && useful, std::move(reply));
    }

    DestinationQueue& at_;
    std::unique_ptr<DeliveryLink> link_;
    Doing doing_ = Doing::connecting;
    std::size_t tasks_out_ = 0;
    bool asked_in_vain_ = false;
    bool finishing_ = false;  // it was told to go
};

DestinationQueue::DestinationQueue(House& house, std::string domain,
                                   const DestinationOptions& options)
    : house_(house), domain_(std::move(domain)), options_(options) {
    connections_now_max_ = std::min(connections_begin, connections_max());
}

DestinationQueue::~DestinationQueue() = default;

std::size_t DestinationQueue::connections_max() const {
    return std::max<std::size_t>(1, options_.connections_max);
}

void DestinationQueue::set_options(const DestinationOptions& options) {
    options_ = options;
    connections_now_max_ = std::min(connections_now_max_, connections_max());
}

void DestinationQueue::add(MessageId mid) {
    if (waiting_ == 0) {  // only forgotten ones, if any
        line_.clear();
        line_begin_ = 0;
    }
    line_.push_back(mid);
    ++waiting_;
    house_.pump_later(*this);
}

MessageId DestinationQueue::pop_front() {
    CHECK(line_begin_ < line_.size());
    const MessageId mid = line_[line_begin_++];
    // What was taken is cut off when it is half of the line: each MID moves once or twice.
    if (line_begin_ * 2 >= line_.size()) {
        line_.erase(line_.begin(), line_.begin() + static_cast<std::ptrdiff_t>(line_begin_));
        line_begin_ = 0;
    }
    return mid;
}

std::unique_ptr<DeliveryTask> DestinationQueue::next_task() {
    while (waiting_ > 0) {
        CHECK(line_begin_ < line_.size());
        if (down()) return nullptr;
        const std::size_t allowed = recipients_allowed();
        if (allowed == 0) return nullptr;
        Taken taken = house_.take_task(*this, line_[line_begin_], allowed);
        if (taken.task) recipients_this_minute_ += taken.task->recipients.size();
        if (taken.more) return std::move(taken.task);
        pop_front();
        if (!taken.task) continue;  // a forgotten message, whose place was given back before
        --waiting_;
        return std::move(taken.task);
    }
    return nullptr;
}

// How many recipients may be handed over now; 0: the minute is used up, and we wait for the next.
std::size_t DestinationQueue::recipients_allowed() {
    const std::int64_t minute = house_.now() / 60;
    if (minute != minute_) {
        minute_ = minute;
        recipients_this_minute_ = 0;
    }
    if (options_.recipients_per_minute_max == 0) return recipients_per_task_max;
    if (recipients_this_minute_ >= options_.recipients_per_minute_max) {
        house_.pump_at(*this, (minute + 1) * 60);
        return 0;
    }
    return static_cast<std::size_t>(std::min<std::uint64_t>(
        recipients_per_task_max, options_.recipients_per_minute_max - recipients_this_minute_));
}

void DestinationQueue::on_delivered() {
    if (++successes_ < connections_now_max_) return;
    successes_ = 0;
    connections_now_max_ = std::min(connections_now_max_ + 1, connections_max());
}

std::size_t DestinationQueue::working() const {
    return static_cast<std::size_t>(
        std::count_if(lanes_.begin(), lanes_.end(),
                      [](const auto& lane) { return lane->doing() != Lane::Doing::connecting; }));
}

void DestinationQueue::on_gone(Lane& lane, bool reached, Reply reply) {
    const auto place = std::find_if(lanes_.begin(), lanes_.end(),
                                    [&](const auto& other) { return other.get() == &lane; });
    CHECK(place != lanes_.end());
    gone_.push_back(std::move(*place));
    lanes_.erase(place);
    house_.give_connection();
    house_.pump_later(*this);
    if (reached) return;
    successes_ = 0;
    if (working() > 0) {  // the host is there and wants no more connections
        connections_now_max_ = working();
        return;
    }
    connections_now_max_ = 1;
    if (!down()) house_.on_unreachable(*this, lane.link().dcid(), std::move(reply));
}

void DestinationQueue::open_lane() {
    lanes_.push_back(std::make_unique<Lane>(*this));
    lanes_.back()->link().start();
}

void DestinationQueue::hand_back() {
    for (std::size_t i = 0; i < handed_back_per_round_max && waiting_ > 0 && down(); ++i) {
        // The place of a forgotten message was given back before.
        const MessageId mid = pop_front();
        if (!house_.knows(mid)) continue;
        --waiting_;
        house_.on_handed_back(*this, mid);
    }
    if (waiting_ > 0) house_.pump_later(*this);
}

void DestinationQueue::pump() {
    gone_.clear();
    if (draining_ || waiting_ == 0) return;
    if (down()) return hand_back();
    if (recipients_allowed() == 0) return;
    // Lanes that are connecting or idle take a message each; what is left wants new ones. A lane
    // may go away while it is poked, so the vector is not walked itself.
    std::vector<Lane*> idle;
    std::size_t takers = 0;
    for (const auto& lane : lanes_) {
        if (lane->doing() == Lane::Doing::idle) idle.push_back(lane.get());
        if (lane->doing() == Lane::Doing::connecting) ++takers;
    }
    for (Lane* lane : idle) {
        if (takers >= waiting_) return;
        if (lane->doing() != Lane::Doing::idle) continue;
        lane->poke();
        if (lane->doing() == Lane::Doing::busy) ++takers;
    }
    while (takers < waiting_ && lanes_.size() < connections_now_max_ && !down()) {
        if (!house_.take_connection()) {
            // Others must end first; when none of ours does, we look again a little later.
            if (lanes_.empty()) house_.pump_at(*this, house_.now() + 1);
            return;
        }
        open_lane();
        ++takers;
    }
}

void DestinationQueue::finish_connections() {
    std::vector<Lane*> lanes;
    for (const auto& lane : lanes_) lanes.push_back(lane.get());
    for (Lane* lane : lanes) {
        if (lane->doing() != Lane::Doing::gone) lane->finish();
    }
}

void DestinationQueue::drain() {
    draining_ = true;
    finish_connections();
}

void DestinationQueue::set_down(std::int64_t until, std::uint64_t dcid, Reply reply) {
    ++failures_;
    down_until_ = until;
    down_dcid_ = dcid;
    down_reply_ = std::move(reply);
}

void DestinationQueue::set_up() {
    failures_ = 0;
    down_until_ = 0;
    down_reply_ = {};
}

bool DestinationQueue::down() const { return house_.now() < down_until_; }

bool DestinationQueue::forgettable() const {
    return waiting_ == 0 && lanes_.empty() && gone_.empty() &&
           (failures_ == 0 || house_.now() >= down_until_ + failures_kept_seconds);
}

std::string destination_of(std::string_view address, std::string_view own_hostname) {
    const std::size_t at = address.rfind('@');
    const std::string_view domain =
        at == std::string_view::npos ? own_hostname : address.substr(at + 1);
    if (domain.starts_with('[')) return lower(domain);
    auto name = to_lookup_form(domain);
    return name ? *std::move(name) : std::string();
}

bool goes_to(std::string_view address, std::string_view own_hostname, std::string_view domain) {
    const std::size_t at = address.rfind('@');
    const std::string_view written =
        at == std::string_view::npos ? own_hostname : address.substr(at + 1);
    const auto same = [](char a, char b) {
        return a == b || (a >= 'A' && a <= 'Z' && a + 32 == b);
    };
    if (std::equal(written.begin(), written.end(), domain.begin(), domain.end(), same)) return true;
    const bool plain = !written.empty() && written.back() != '.' &&
                       std::all_of(written.begin(), written.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    return !plain && destination_of(address, own_hostname) == domain;
}

const DestinationOptions& destination_options(const Config& config, const std::string& domain) {
    auto found = config.destinations.find(domain);
    if (found == config.destinations.end()) found = config.destinations.find("default");
    static const DestinationOptions built_in;
    return found == config.destinations.end() ? built_in : found->second;
}

const BounceProfileOptions& bounce_profile_of(const Config& config, const std::string& domain) {
    auto found = config.bounce_profiles.find(destination_options(config, domain).bounce_profile);
    if (found == config.bounce_profiles.end()) found = config.bounce_profiles.find("default");
    static const BounceProfileOptions built_in;
    return found == config.bounce_profiles.end() ? built_in : found->second;
}

}  // namespace sealgate
