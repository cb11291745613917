// SPDX-License-Identifier: GPL-3.0-or-later
//
// The server session without its house: content readers (bytes/s), command lines, a whole message,
// and what an idle session costs. Memory is counted by malloc's own books, so run it without
// mimalloc.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bench/support/cost_counter.h"
#include "core/loop.h"
#include "dns/resolver.h"
#include "smtp/bdat_reader.h"
#include "smtp/commands.h"
#include "smtp/data_reader.h"
#include "smtp/listener.h"
#include "smtp/session.h"
#include "tests/smtp/session_fixture.h"

namespace sealgate {
namespace {

constexpr std::size_t budget_bytes_per_idle_session = 16 * 1024;  // architecture.md

std::string text_lines(std::size_t bytes, std::size_t line_bytes) {
    std::string text;
    while (text.size() < bytes) text += std::string(line_bytes, 'x') + "\r\n";
    return text;
}

std::size_t heap_bytes() {
    const struct mallinfo2 books = mallinfo2();
    return books.uordblks + books.hblkhd;
}

std::unique_ptr<MailLog> quiet_log(Loop* loop) {
    LogOptions options;
    options.mail_log = "/dev/null";
    options.level = LogOptions::Level::error;
    std::string why;
    return *MailLog::open(options, loop, &why);
}

// Of 64 KB reads, as they come from a socket; the argument is the length of a line.
void data_reader(benchmark::State& state) {
    const std::string text = text_lines(64 * 1024, static_cast<std::size_t>(state.range(0)));
    const auto one = [&] {
        DataReader reader;
        std::size_t content_bytes = 0;
        ByteSpan rest = as_bytes(text);
        while (!rest.empty()) {
            const DataReader::Run run = reader.next(rest);
            content_bytes += run.content_end - run.content_begin;
            rest = rest.subspan(run.consumed);
        }
        if (content_bytes != text.size() || reader.has_bare_line_end()) {
            state.SkipWithError("the content is not what was read");
        }
    };
    for (auto _ : state) one();
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    count_costs(state, one, text.size());
}
BENCHMARK(data_reader)->Arg(30)->Arg(76)->Arg(998);

void bdat_reader(benchmark::State& state) {
    const std::string text = text_lines(64 * 1024, static_cast<std::size_t>(state.range(0)));
    const auto one = [&] {
        BdatReader reader;
        reader.begin_chunk(text.size(), true);
        if (reader.next(as_bytes(text)) != text.size() || reader.has_bare_line_end()) {
            state.SkipWithError("the content is not what was read");
        }
    };
    for (auto _ : state) one();
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    count_costs(state, one, text.size());
}
BENCHMARK(bdat_reader)->Arg(76);

// The fastest look at every byte that the C library has: what no reader beats.
void raw_memchr(benchmark::State& state) {
    const std::string text = text_lines(64 * 1024, static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        std::size_t lines = 0;
        const char* at = text.data();
        const char* const end = at + text.size();
        while ((at = static_cast<const char*>(
                    std::memchr(at, '\n', static_cast<std::size_t>(end - at))))) {
            ++lines;
            ++at;
        }
        benchmark::DoNotOptimize(lines);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(raw_memchr)->Arg(76);

void command_lines(benchmark::State& state) {
    const auto one = [&] {
        const auto command =
            parse_command("MAIL FROM:<sender@example.com> SIZE=10240 BODY=8BITMIME");
        auto mail = parse_mail(command->argument);
        if (!mail || mail->size_bytes != 10240u) state.SkipWithError("MAIL was not understood");
        const auto rcpt = parse_command("RCPT TO:<recipient@example.net> NOTIFY=FAILURE");
        auto recipient = parse_rcpt(rcpt->argument, false);
        if (!recipient) state.SkipWithError("RCPT was not understood");
        benchmark::DoNotOptimize(recipient);
    };
    for (auto _ : state) one();
    count_costs(state, one);
}
BENCHMARK(command_lines);

// One message of the given size in an open session: pipelined envelope, DATA, content, answer.
void message(benchmark::State& state) {
    const auto log = quiet_log(nullptr);
    SessionSetting setting;
    setting.policy().messages_per_connection_max = ~std::uint64_t{0};
    ScriptedHost host;
    host.keeps_content = false;
    SessionClient client(setting, host, *log);
    client.start();
    client.say("EHLO c.example\r\n");
    const Chunk envelope =
        Chunk::copy_of("MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n");
    const Chunk content =
        Chunk::copy_of(text_lines(static_cast<std::size_t>(state.range(0)), 76) + ".\r\n");
    const auto one = [&] {
        client.replies.clear();
        client.session.receive(envelope);
        client.session.receive(content);
        host.answer();
        client.session.resume();
        client.take();
        if (host.finished.size() != 1) state.SkipWithError("the message did not arrive");
        host.finished.clear();
    };
    for (auto _ : state) one();
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
    count_costs(state, one, content.size());
}
BENCHMARK(message)->Arg(1024)->Arg(10 * 1024)->Arg(64 * 1024);

void idle_sessions(benchmark::State& state) {
    const auto log = quiet_log(nullptr);
    SessionSetting setting;
    ScriptedHost host;
    const auto count = static_cast<std::size_t>(state.range(0));
    double bytes_each = 0;
    for (auto _ : state) {
        std::vector<std::unique_ptr<SessionClient>> clients;
        clients.reserve(count);
        const std::size_t before = heap_bytes();
        for (std::size_t i = 0; i < count; ++i) {
            clients.push_back(std::make_unique<SessionClient>(setting, host, *log));
            clients.back()->start();
            clients.back()->say("EHLO mail.client.example.com\r\n");
            clients.back()->replies = std::string();
        }
        bytes_each = static_cast<double>(heap_bytes() - before) / static_cast<double>(count);
    }
    state.counters["bytes_per_session"] = bytes_each;
}
BENCHMARK(idle_sessions)->Arg(10'000)->Iterations(1)->Unit(benchmark::kMillisecond);

class NoResolver final : public Resolver {
public:
    DnsTicket lookup_mx(const std::string&, std::function<void(MxAnswer)>) override { return {}; }
    DnsTicket lookup_addresses(const std::string&, std::function<void(AddressAnswer)>) override {
        return {};
    }
    DnsTicket confirm_host(const IpAddress&, std::function<void(std::string)>) override {
        return {};
    }
    DnsTicket lookup_smimea(const std::string&, std::function<void(SmimeaAnswer)>) override {
        return {};
    }
};

int connect_plainly(const Endpoint& to) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage storage;
    const socklen_t bytes = to.to_sockaddr(storage);
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&storage), bytes) == 0) {
        const std::string_view hello = "EHLO mail.client.example.com\r\n";
        if (::write(descriptor, hello.data(), hello.size()) > 0) return descriptor;
    }
    ::close(descriptor);
    return -1;
}

// The same with listener, socket and timer: all that the process allocates for a connection.
void idle_connections(benchmark::State& state) {
    Loop loop;
    const auto log = quiet_log(&loop);
    SessionSetting setting;
    setting.listener().addresses = {*Endpoint::parse("127.0.0.1:0")};
    ScriptedHost host;
    NoResolver resolver;
    ConnectionBudget budget(100'000);
    RecipientRate rate;
    std::string why;
    const auto listener = *Listener::open({loop, *log, host, resolver, budget, rate},
                                          setting.config, setting.listener(), &why);
    const auto count = static_cast<std::size_t>(state.range(0));
    double bytes_each = 0;
    for (auto _ : state) {
        std::vector<int> clients;
        clients.reserve(count);
        const std::size_t before = heap_bytes();
        for (std::size_t i = 0; i < count; ++i) {
            clients.push_back(connect_plainly(listener->addresses().front()));
            if (i % 16 == 0) loop.run_until([] { return true; }, 0);
        }
        loop.run_until([&] { return listener->session_count() == count; }, 5000);
        loop.run_until([] { return false; }, 200);  // their EHLOs are answered
        bytes_each = static_cast<double>(heap_bytes() - before) / static_cast<double>(count);
        if (listener->session_count() != count) state.SkipWithError("not all were accepted");
        for (const int descriptor : clients) ::close(descriptor);
    }
    if (bytes_each > budget_bytes_per_idle_session) state.SkipWithError("past the budget");
    state.counters["bytes_per_connection"] = bytes_each;
}
BENCHMARK(idle_connections)->Arg(400)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sealgate
