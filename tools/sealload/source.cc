// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/sealload/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "tools/sealload/source_connection.h"
#include "tools/sealload/source_progress.h"

namespace sealgate {
namespace {

constexpr double ns_per_second = 1e9;
// Connections that trickle send once a second, a hundredth of them at each tick: senders that know
// nothing of each other do not all write in the same moment.
constexpr std::size_t trickle_turns = 100;
constexpr std::uint64_t trickle_tick_ms = 1000 / trickle_turns;

std::uint64_t to_ns(double seconds) { return static_cast<std::uint64_t>(seconds * ns_per_second); }
double to_seconds(std::uint64_t ns) { return static_cast<double>(ns) / ns_per_second; }

}  // namespace

LoadSource::LoadSource(Loop& loop, SourceOptions options, MailPool mails)
    : loop_(loop),
      options_(std::move(options)),
      mails_(std::move(mails)),
      addresses_(options_.addresses),
      deadline_(loop, [this] { stop(); }),
      trickle_tick_(loop, [this] { trickle(); }),
      alarm_(loop, [this] { dispatch(); }),
      run_(fmt::format("{:016x}", std::mt19937_64(std::random_device{}())())),
      left_(options_.messages) {
    if (options_.rate) arrivals_.emplace(*options_.rate, options_.arrivals, options_.seed);
}

LoadSource::~LoadSource() = default;

Result<void> LoadSource::open_ledger(const std::string& path) {
    has_ledger_ = !path.empty();
    return ledger_.open(path);
}

void LoadSource::run() {
    begin_ns_ = last_reply_ns_ = now_ns();
    measure_from_ns_ = begin_ns_ + to_ns(options_.warmup_seconds);
    if (options_.seconds > 0) deadline_.start(static_cast<std::uint64_t>(options_.seconds * 1000));
    if (options_.trickle_bytes > 0) trickle_tick_.start(trickle_tick_ms, trickle_tick_ms);
    working_ = options_.connections;
    for (unsigned i = 0; i < options_.connections; ++i)
        connections_.push_back(std::make_unique<SourceConnection>(*this));
    for (auto& connection : connections_) connection->start();
    loop_.run();
    for (auto& connection : connections_) connection->abandon();
    connections_.clear();
    counts_.seconds = to_seconds(now_ns() - begin_ns_);
    if (last_reply_ns_ > measure_from_ns_)
        counts_.measured_seconds = to_seconds(last_reply_ns_ - measure_from_ns_);
}

// Messages under way are given a moment to be answered; then they count as unknown.
void LoadSource::stop() {
    constexpr std::uint64_t last_replies_ms = 5000;
    if (stopped_) {
        loop_.stop();
        return;
    }
    dispatch();  // what is due and has its connection still begins
    count_never_begun();
    stopped_ = true;
    for (auto& connection : connections_) connection->on_no_more();
    if (working_ == 0)
        loop_.stop();
    else
        deadline_.start(last_replies_ms);
}

// Their times are not known, only that they are longer than this.
void LoadSource::count_never_begun() {
    if (!arrivals_) return;
    const std::uint64_t now = now_ns();
    while (is_due() && returned_.empty()) {
        record(Phase::wait, begin_ns_ + arrivals_->next_ns(), now);
        record(Phase::message, begin_ns_ + arrivals_->next_ns(), now);
        arrivals_->take();
        ++counts_.never_begun;
        if (options_.messages != 0) --left_;
    }
}

std::uint64_t LoadSource::waiting() const {
    if (!arrivals_) return 0;
    double due = options_.rate->due_at(to_seconds(now_ns() - begin_ns_));
    if (options_.messages != 0) due = std::min(due, static_cast<double>(options_.messages));
    const auto begun = static_cast<double>(next_number_ - 1);
    return due > begun ? static_cast<std::uint64_t>(due - begun) : 0;
}

bool LoadSource::is_due() const {
    if (!has_more()) return false;
    if (!arrivals_ || !returned_.empty()) return true;
    return (options_.messages == 0 || left_ > 0) && begin_ns_ + arrivals_->next_ns() <= now_ns();
}

bool LoadSource::take_mail(OutgoingMail& mail) {
    if (!is_due()) return false;
    ++in_flight_;
    if (!returned_.empty()) {
        mail = returned_.back();
        returned_.pop_back();
        return true;
    }
    mail.number = next_number_++;
    const std::uint64_t now = now_ns();
    mail.intended_ns = now;
    if (arrivals_) {
        mail.intended_ns = begin_ns_ + arrivals_->next_ns();
        arrivals_->take();
        record(Phase::wait, mail.intended_ns, now);
    }
    mail.measured = mail.intended_ns >= measure_from_ns_;
    choose(mail);
    if (options_.messages != 0 && --left_ == 0) dismiss_idle();
    return true;
}

void LoadSource::choose(OutgoingMail& mail) {
    if (!signers_) {
        LoadRandom random(options_.seed, mail.number);
        mail.mail_template = &mails_.pick(mail.number, random);
        return;
    }
    std::string address;
    addresses_.append_sender(address, mail.number);
    auto made = signers_->make(addresses_.sender_of(mail.number), address);
    CHECK(made);
    mail.made = *std::move(made);
    mail.mail_template = mail.made.get();
}

void LoadSource::wait_for_mail(SourceConnection& connection) {
    if (!connection.listed()) {
        connection.set_listed(true);
        idle_.push_back(&connection);
    }
    set_alarm();
}

// Connections whose moment has come take their mail; one that lost its connection while it stood
// in the list is passed over, and comes back by itself.
void LoadSource::dispatch() {
    while (!idle_.empty() && is_due()) {
        SourceConnection& next = *idle_.front();
        idle_.pop_front();
        next.set_listed(false);
        if (next.is_idle()) next.next_mail();
    }
    set_alarm();
}

void LoadSource::set_alarm() {
    if (arrivals_ && !idle_.empty() && has_more()) alarm_.ring_at(begin_ns_ + arrivals_->next_ns());
}

// The last message has been taken: nobody needs to wait any more.
void LoadSource::dismiss_idle() {
    std::deque<SourceConnection*> idle;
    idle.swap(idle_);
    for (SourceConnection* connection : idle) {
        connection->set_listed(false);
        if (connection->is_idle()) connection->on_no_more();
    }
}

void LoadSource::give_back(const OutgoingMail& mail) {
    --in_flight_;
    returned_.push_back(mail);
    if (has_more()) loop_.defer([this] { dispatch(); });
}

void LoadSource::append_message_id(std::string& out, std::uint64_t number) const {
    out += '<';
    append_number(out, number);
    out += '.';
    out += run_;
    out += "@sealload>";
}

void LoadSource::record(Phase phase, std::uint64_t begin_ns, std::uint64_t end_ns) {
    if (begin_ns < measure_from_ns_) return;
    counts_.of(phase).add(end_ns > begin_ns ? (end_ns - begin_ns + 500) / 1000 : 0);
}

void LoadSource::on_connected(std::uint64_t begin_ns) {
    ++counts_.connections;
    record(Phase::connect, begin_ns, now_ns());
}

void LoadSource::on_handshake(std::uint64_t begin_ns, bool resumed) {
    ++(resumed ? counts_.tls_resumed : counts_.tls_full);
    record(Phase::tls, begin_ns, now_ns());
}

void LoadSource::on_connection_error(std::string_view what) {
    ++counts_.connection_errors;
    count_kind(counts_.errors, what);
}

void LoadSource::on_connection_done() {
    CHECK(working_ > 0);
    if (--working_ == 0) loop_.stop();
}

void LoadSource::on_accepted(const OutgoingMail& mail, const MailDialogue& dialogue,
                             std::string_view reply, std::uint64_t now) {
    --in_flight_;
    last_reply_ns_ = now;
    ++counts_.accepted;
    const std::uint64_t bytes = dialogue.message_bytes();
    counts_.bytes += bytes;
    if (mail.measured) {
        ++counts_.measured;
        counts_.measured_bytes += bytes;
    }
    record(Phase::message, mail.intended_ns, now);
    if (progress_) progress_->on_message((now - mail.intended_ns) / 1000);
    if (has_ledger_) write_ledger(mail, SentState::accepted, reply, dialogue.accepted_recipients());
}

void LoadSource::on_refused(const OutgoingMail& mail, const MailDialogue& dialogue) {
    --in_flight_;
    ++counts_.refused;
    count_kind(counts_.refusals, dialogue.refusal());
    if (has_ledger_)
        write_ledger(mail, SentState::refused, dialogue.refusal(), dialogue.accepted_recipients());
}

// With BDAT perhaps lost before a recipient was answered: all of them are in doubt. That it took at
// least so long counts, else a target that never answers would look quick.
void LoadSource::on_unknown(const OutgoingMail& mail, const MailDialogue& dialogue,
                            std::string_view why) {
    --in_flight_;
    ++counts_.unknown;
    record(Phase::message, mail.intended_ns, now_ns());
    if (has_ledger_) write_ledger(mail, SentState::unknown, why, dialogue.all_recipients());
}

void LoadSource::write_ledger(const OutgoingMail& mail, SentState state, std::string_view reply,
                              std::vector<std::string> recipients) {
    std::string message_id;
    append_message_id(message_id, mail.number);
    ledger_.write(SentLine{std::move(message_id), state, std::string(reply), std::move(recipients),
                           mail.mail_template->name()});
}

void LoadSource::trickle() {
    trickle_turn_ = (trickle_turn_ + 1) % trickle_turns;
    for (std::size_t i = trickle_turn_; i < connections_.size(); i += trickle_turns)
        connections_[i]->on_trickle();
}

}  // namespace sealgate
