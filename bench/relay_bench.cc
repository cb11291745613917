// SPDX-License-Identifier: GPL-3.0-or-later
// What a message of 10 KB pays on its way through smtp/, without a socket: its header is gathered
// and read, the policy decides, its envelope is stored and read back, dots are doubled, and it is
// said to the next host. Beside it: a bare memcpy of the same bytes.
#include <benchmark/benchmark.h>

#include <cstring>

#include "bench/support/cost_counter.h"
#include "core/options.h"
#include "core/policy.h"
#include "smtp/addresses.h"
#include "smtp/delivery_session.h"
#include "smtp/dot_stuffing.h"
#include "smtp/envelope.h"
#include "smtp/header.h"

namespace sealgate {
namespace {

constexpr const char* header_text =
    "Received: from client.example.com (client.example.com [192.0.2.7])\r\n"
    "\tby mail.example.com with ESMTP id 4f3a; Sat, 21 Nov 2026 19:47:40 +0000\r\n"
    "Message-ID: <20261121194740.4f3a@example.com>\r\n"
    "Date: Sat, 21 Nov 2026 19:47:40 +0000\r\n"
    "From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <sender@example.com>\r\n"
    "To: Recipient <recipient@example.net>, Another <another@example.net>\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from the other side of the town\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=us-ascii\r\n"
    "X-Mailer: none\r\n"
    "\r\n";

// The argument: every how many lines one begins with a dot; 0: none does.
std::string mail_of(std::size_t bytes, std::size_t dot_every = 0) {
    std::string text = header_text;
    for (std::size_t line = 1; text.size() < bytes; ++line) {
        if (dot_every != 0 && line % dot_every == 0) text += '.';
        text += "A line of a message, of no interest but its length, which is usual.\r\n";
    }
    return text;
}

constexpr std::size_t mail_bytes = 10 * 1024;

void set_rates(benchmark::State& state, std::size_t bytes) {
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

// ---- header -------------------------------------------------------------------------------------

// The argument: bytes of a read; the header may come in many.
void header_collected(benchmark::State& state) {
    const std::string mail = mail_of(mail_bytes);
    const auto read_bytes = static_cast<std::size_t>(state.range(0));
    std::vector<Chunk> reads;
    for (std::size_t at = 0; at < mail.size(); at += read_bytes)
        reads.push_back(Chunk::copy_of(std::string_view(mail).substr(at, read_bytes)));
    const auto one = [&] {
        HeaderCollector collector;
        for (const Chunk& read : reads)
            if (*collector.write(read)) break;
        const Header header = collector.take_header();
        require(header.fields().size() == 9 && !collector.take_rest().empty(), "header");
    };
    for (auto _ : state) one();
    set_rates(state, std::strlen(header_text));
    count_costs(state, one);
}
BENCHMARK(header_collected)->Arg(64 << 10)->Arg(256);

// All that policy and log ask of it.
void header_asked(benchmark::State& state) {
    const Header header = Header::parse(Chunk::copy_of(mail_of(mail_bytes)));
    const auto one = [&] {
        require(header.subject().starts_with("Gr\xC3\xBC\xC3\x9F"), "subject");
        require(sole_from_address(header).has_value(), "from");
        require(!header.message_id().empty(), "message-id");
        benchmark::DoNotOptimize(header.content_type());
    };
    for (auto _ : state) one();
    set_rates(state, std::strlen(header_text));
    count_costs(state, one);
}
BENCHMARK(header_asked);

// ---- policy -------------------------------------------------------------------------------------

struct Facts final : MessageFacts {
    std::vector<std::string> from{"sender@example.com"};
    std::vector<std::string> to{"recipient@example.net", "another@example.net"};
    IpAddress ip = *IpAddress::parse("10.1.1.7");

    Direction direction() const override { return Direction::outgoing; }
    std::string_view envelope_sender() const override { return from.front(); }
    const std::vector<std::string>& from_addresses() const override { return from; }
    const std::vector<std::string>& recipients() const override { return to; }
    std::string subject() const override { return "please [sign] this"; }
    std::vector<std::string> header(std::string_view) const override { return {}; }
    const IpAddress& remote_ip() const override { return ip; }
    std::string_view listener() const override { return "private"; }
    std::string_view sender_group() const override { return "ALL"; }
    SmimeFacts smime() const override { return {}; }
};

// The argument: how many policies stand before DEFAULT, each for a domain of its own, with a filter
// that asks for the subject; none of them matches.
void policy_decided(benchmark::State& state) {
    std::string text =
        "[listener:l]\naddress = 127.0.0.1:2525\n"
        "[sending-profile:p]\nmode = sign\ncertificate = demo\n"
        "[content-filter:marked]\ndirection = outgoing\n"
        "condition = subject == \"\\\\[sign\\\\]\"\nactions = smime-gateway(\"p\");\n";
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        const std::string number = std::to_string(i);
        text += "[mail-policy:P" + number + "]\ndirection = outgoing\nrecipients = @partner" +
                number + ".example\ncontent-filters = marked\n";
    }
    text += "[mail-policy:DEFAULT]\ndirection = outgoing\ncontent-filters = marked\n";
    LoadedConfig loaded = parse_config(text, "bench.ini");
    for (const Complaint& complaint : loaded.complaints)
        require(false, complaint.to_text().c_str());
    Complaints complaints;
    const auto table = PolicyTable::compile(*loaded.config, complaints);
    require(table && complaints.empty(), "policy table");
    const Facts facts;
    const auto one = [&] {
        const auto parts = table->decide(facts);
        require(parts.size() == 1 && parts[0].profile == "p", "decision");
    };
    for (auto _ : state) one();
    state.SetItemsProcessed(state.iterations());
    count_costs(state, one);
}
BENCHMARK(policy_decided)->Arg(0)->Arg(10)->Arg(100);

// ---- envelope -----------------------------------------------------------------------------------

Envelope envelope_for(std::size_t recipients) {
    Envelope envelope;
    envelope.sender = "sender@example.com";
    for (std::size_t i = 0; i < recipients; ++i) {
        Recipient recipient;
        recipient.address = "recipient" + std::to_string(i) + "@example.net";
        envelope.recipients.push_back(recipient);
    }
    envelope.message_id = "<20261121194740.4f3a@example.com>";
    envelope.subject = "from the other side of the town";
    return envelope;
}

void envelope_encoded(benchmark::State& state) {
    const Envelope envelope = envelope_for(static_cast<std::size_t>(state.range(0)));
    const auto one = [&] { benchmark::DoNotOptimize(encode_envelope(envelope)); };
    for (auto _ : state) one();
    set_rates(state, encode_envelope(envelope).size());
    count_costs(state, one);
}
BENCHMARK(envelope_encoded)->Arg(1)->Arg(100);

void envelope_decoded(benchmark::State& state) {
    const auto recipients = static_cast<std::size_t>(state.range(0));
    const std::string stored = encode_envelope(envelope_for(recipients));
    const auto one = [&] {
        const auto envelope = decode_envelope(stored);
        require(envelope && envelope->recipients.size() == recipients, "envelope");
    };
    for (auto _ : state) one();
    set_rates(state, stored.size());
    count_costs(state, one);
}
BENCHMARK(envelope_decoded)->Arg(1)->Arg(100);

// ---- dots ---------------------------------------------------------------------------------------

void raw_memcpy_of_a_mail(benchmark::State& state) {
    const std::string from = mail_of(mail_bytes);
    std::string to(from.size(), ' ');
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), from.size());
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
    require(to == from, "memcpy");
    set_rates(state, from.size());
}
BENCHMARK(raw_memcpy_of_a_mail);

void dots_doubled(benchmark::State& state) {
    const std::string mail = mail_of(mail_bytes, static_cast<std::size_t>(state.range(0)));
    const Chunk chunk = Chunk::copy_of(mail);
    std::size_t dots = 0;
    for (std::size_t at = 0; (at = mail.find("\r\n.", at)) != std::string::npos; ++at) ++dots;
    const auto one = [&] {
        ChunkList output;
        DotStuffing stuffing(output);
        require(stuffing.write(chunk) && stuffing.finish(), "stuffing");
        require(output.bytes() == mail.size() + dots + 3, "bytes stuffed");
    };
    for (auto _ : state) one();
    set_rates(state, mail.size());
    count_costs(state, one, mail.size());
}
BENCHMARK(dots_doubled)->Arg(0)->Arg(10);

// ---- delivery -----------------------------------------------------------------------------------

// One message in an open connection, as its bytes leave: the envelope, the text, its outcome.
void delivery(benchmark::State& state, const char* keywords, const char* answers) {
    DeliveryTask task;
    task.mid = 6;
    task.sender = "sender@example.com";
    task.recipients.push_back({0, "recipient@example.net", "", {}});
    task.in_memory = true;
    task.bytes.append(Chunk::copy_of(mail_of(mail_bytes)));
    task.body_bytes = task.bytes.bytes();
    DeliverySession session("gate.example.com");
    std::uint64_t bytes_said = 0;
    const auto advance_until = [&](DeliverySession::Wait wanted) {
        const DeliverySession::Wait wait = session.advance();
        bytes_said += session.take_output().bytes();
        require(wait == wanted, "dialogue");
    };
    const auto hear = [&](std::string_view answer) { session.receive(as_bytes(answer)); };
    hear("220 mx.example.net\r\n");
    advance_until(DeliverySession::Wait::input);
    hear("250-mx.example.net\r\n");
    hear(keywords);
    advance_until(DeliverySession::Wait::task);
    const auto one = [&] {
        session.deliver(task);
        bytes_said = 0;
        std::string_view rest = answers;
        while (!rest.empty()) {  // a line of answers for what was said so far
            advance_until(DeliverySession::Wait::input);
            const std::size_t end = rest.find('|');
            hear(rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
        advance_until(DeliverySession::Wait::outcome);
        const auto outcomes = session.take_outcomes();
        require(outcomes.size() == 1 && outcomes[0].kind == RecipientOutcome::Kind::delivered &&
                    bytes_said > task.body_bytes,
                "delivered");
        advance_until(DeliverySession::Wait::task);
    };
    for (auto _ : state) one();
    set_rates(state, task.body_bytes);
    count_costs(state, one, task.body_bytes);
}
BENCHMARK_CAPTURE(delivery, bdat, "250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n",
                  "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok: queued\r\n");
BENCHMARK_CAPTURE(delivery, data_pipelined, "250-PIPELINING\r\n250 8BITMIME\r\n",
                  "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go on\r\n|250 2.0.0 Ok: queued\r\n");
BENCHMARK_CAPTURE(delivery, data_line_by_line, "250 8BITMIME\r\n",
                  "250 2.1.0 Ok\r\n|250 2.1.5 Ok\r\n|354 Go on\r\n|250 2.0.0 Ok: queued\r\n");

}  // namespace
}  // namespace sealgate
